#include "runner/make_spec.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/defaults.hpp"

#include <algorithm>
#include <array>

namespace lade::runner {

namespace {

constexpr std::size_t k_longest_hostname = 64;  // __NEW_UTS_LEN

constexpr std::string_view k_default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `NAME=VALUE` texts of which each name occurs once, in the order of their first setting.
class Environment {
 public:
  void set(std::string_view name, std::string_view value) {
    std::string text = str(name, '=', value);
    if (const auto found = find(name); found != texts_.end()) {
      *found = std::move(text);
    } else {
      texts_.push_back(std::move(text));
    }
  }

  /// Takes a whole `NAME=VALUE`; a text without `=` is a name with an empty value.
  void set_text(std::string_view text) {
    const auto equals = text.find('=');
    set(text.substr(0, equals),
        equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1));
  }

  bool has(std::string_view name) { return find(name) != texts_.end(); }

  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::vector<std::string>::iterator find(std::string_view name) {
    return std::find_if(texts_.begin(), texts_.end(), [&](const std::string& text) {
      return text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=';
    });
  }

  std::vector<std::string> texts_;
};

void apply_setting(Environment& env, const EnvSetting& setting,
                   const std::vector<std::string>& host_env) {
  if (setting.value) {
    env.set(setting.name, *setting.value);
    return;
  }
  const bool prefix = setting.name.ends_with('*');
  const std::string wanted =
      prefix ? setting.name.substr(0, setting.name.size() - 1) : str(setting.name, '=');
  for (const std::string& text : host_env) {
    if (text.starts_with(wanted)) env.set_text(text);
  }
}

std::vector<std::string> make_env(const ImageConfig& image, const RunOptions& options,
                                  const std::string& hostname) {
  Environment env;
  env.set("PATH", k_default_path);
  if (options.terminal == Terminal::yes) env.set("TERM", "xterm");
  env.set("container", "lade");
  env.set("HOSTNAME", hostname);
  if (image.process.env) {
    for (const std::string& text : *image.process.env) env.set_text(text);
  }
  for (const EnvSetting& setting : options.env) apply_setting(env, setting, options.host_env);
  return env.take();
}

/// The words to execute: entrypoint and command. An entrypoint of the caller's does not go with the
/// image's command.
std::vector<std::string> make_args(const ImageConfig& image, const RunOptions& options) {
  std::vector<std::string> words = options.entrypoint.value_or(image.process.entrypoint);
  const bool image_command = options.args.empty() && !options.entrypoint;
  const auto& command = image_command ? image.process.cmd : options.args;
  words.insert(words.end(), command.begin(), command.end());
  if (words.empty()) {
    throw UsageError(
        "nothing to run: no command was given, and the image has no CMD or ENTRYPOINT");
  }
  return words;
}

std::string make_hostname(const RunOptions& options) {
  const std::string name = options.hostname.value_or(options.container_id.substr(0, 12));
  if (name.size() > k_longest_hostname) {
    throw UsageError(
        str("host name ", quoted(name), " is longer than ", k_longest_hostname, " characters"));
  }
  return name;
}

/// A path without `.`, `..` and doubled slashes, as text: `/a/../b` is `/b`.
std::string lexically_clean(std::string_view path) {
  std::vector<std::string> kept;
  for (std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  return str('/', join(kept, "/"));
}

void set_workdir(SpecProcess& process, const ImageConfig& image, const RunOptions& options) {
  process.cwd = options.workdir.value_or(image.process.working_dir);
  if (process.cwd.empty()) process.cwd = "/";
  if (process.cwd.front() != '/') {
    if (options.workdir) {
      throw UsageError(str("working directory ", quoted(process.cwd), " is not an absolute path"));
    }
    process.cwd.insert(0, "/");  // Docker reads an image's relative WORKDIR from the root.
  }
  process.create_cwd = !options.workdir && process.cwd != "/";
}

std::vector<SpecMount> default_mounts() {
  return {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
      {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
}

SpecMount volume_mount(const VolumeMount& volume, const std::string& host_directory) {
  SpecMount mount{volume.destination, "bind", volume.source, {}};
  if (!mount.source.starts_with('/')) {
    mount.source = str(host_directory == "/" ? "" : host_directory, '/', volume.source);
  }
  // What the user asked for comes last and so wins. Read-only means all of it, whatever is mounted
  // below, and so do the defaults.
  mount.options = {"rbind", "rprivate", "rnosuid", "rnodev"};
  for (const std::string& option : volume.options) {
    mount.options.push_back(option == "ro" ? "rro" : option);
  }
  return mount;
}

/// /etc/hostname, /etc/hosts and, on the caller's network, /etc/resolv.conf.
std::vector<SpecFile> default_files(const RunOptions& options, const std::string& hostname) {
  std::vector<SpecFile> files;
  if (hostname.empty()) return files;
  files.push_back({"/etc/hostname", str(hostname, '\n')});
  std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";
  if (options.network == NetworkMode::host) {
    if (!options.host_hosts.empty()) hosts = options.host_hosts;
    if (!options.host_resolv_conf.empty()) {
      files.push_back({"/etc/resolv.conf", options.host_resolv_conf});
    }
  }
  if (!hosts.ends_with('\n')) hosts += '\n';
  files.push_back({"/etc/hosts", str(hosts, "127.0.0.1\t", hostname, '\n')});
  std::erase_if(files, [&](const SpecFile& file) {
    return std::any_of(options.volumes.begin(), options.volumes.end(),
                       [&](const VolumeMount& volume) { return volume.destination == file.path; });
  });
  return files;
}

/// What a volume may ask for; those that lade cannot do yet are told apart from typing errors.
void check_volume_option(const std::string& option) {
  static constexpr std::array known = {"ro",       "rw",       "bind",    "rbind",   "private",
                                       "rprivate", "shared",   "slave",   "rshared", "rslave",
                                       "exec",     "noexec",   "suid",    "nosuid",  "dev",
                                       "nodev",    "relatime", "noatime", "z",       "Z"};
  static constexpr std::array later = {"O", "U", "copy", "nocopy", "idmap", "nocreate", "upperdir"};
  const auto is = [&](const char* name) { return option == name; };
  if (std::any_of(known.begin(), known.end(), is)) return;
  if (std::any_of(later.begin(), later.end(), is)) {
    throw UsageError(str("volume option ", quoted(option), " is not supported yet"));
  }
  throw UsageError(str("unknown volume option ", quoted(option)));
}

}  // namespace

EnvSetting parse_env_setting(std::string_view text) {
  const auto equals = text.find('=');
  EnvSetting setting{std::string(text.substr(0, equals)), std::nullopt};
  if (setting.name.empty()) {
    throw UsageError(str("environment setting ", quoted(text), " has no name"));
  }
  if (equals != std::string_view::npos) setting.value = std::string(text.substr(equals + 1));
  return setting;
}

VolumeMount parse_volume(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty() || parts[1].empty()) {
    throw UsageError(
        str("volume ", quoted(text), " is not of the form SOURCE:DESTINATION[:OPTIONS]"));
  }
  VolumeMount volume{parts[0], {}, {}};
  if (volume.source.front() != '/' && volume.source.front() != '.') {
    throw UsageError(
        str("volume ", quoted(volume.source), ": named volumes are not supported yet"));
  }
  if (parts[1].front() != '/') {
    throw UsageError(str("volume destination ", quoted(parts[1]), " is not an absolute path"));
  }
  volume.destination = lexically_clean(parts[1]);
  if (volume.destination == "/") {
    throw UsageError(str("volume ", quoted(text), " would hide the whole container"));
  }
  if (parts.size() == 3) {
    for (std::string& option : split(parts[2], ',')) {
      if (option.empty()) continue;
      check_volume_option(option);
      // SELinux labels: there is nothing to relabel where lade runs without it.
      if (option != "z" && option != "Z") volume.options.push_back(std::move(option));
    }
  }
  return volume;
}

NetworkMode parse_network(std::string_view text) {
  if (text == "none") return NetworkMode::none;
  if (text == "host") return NetworkMode::host;
  throw UsageError(
      str("network ", quoted(text), " is not supported yet; there are `none` and `host`"));
}

Spec make_spec(const ImageConfig& image, const RunOptions& options) {
  Spec spec;
  spec.hostname = make_hostname(options);
  spec.readonly_rootfs = options.root == RootAccess::read_only;
  spec.process.terminal = options.terminal == Terminal::yes;
  spec.process.user.text = options.user.value_or(image.process.user);
  spec.process.args = make_args(image, options);
  spec.process.env = make_env(image, options, spec.hostname);
  set_workdir(spec.process, image, options);
  const std::vector<std::string> capabilities = default_capabilities();
  spec.process.capabilities = {.bounding = capabilities,
                               .effective = capabilities,
                               .inheritable = {},
                               .permitted = capabilities,
                               .ambient = {},
                               .for_root_only = true};
  spec.default_seccomp = true;

  for (const NamespaceKind kind : {NamespaceKind::mount, NamespaceKind::pid, NamespaceKind::uts,
                                   NamespaceKind::ipc, NamespaceKind::cgroup}) {
    spec.namespaces.push_back({kind, {}});
  }
  if (options.network == NetworkMode::none) {
    spec.namespaces.push_back({NamespaceKind::network, {}});
    // An unprivileged `ping` needs no raw socket then.
    spec.sysctl.emplace_back("net.ipv4.ping_group_range", "0 0");
  }
  spec.mounts = default_mounts();
  spec.files = default_files(options, spec.hostname);
  for (const VolumeMount& volume : options.volumes) {
    spec.mounts.push_back(volume_mount(volume, options.host_directory));
  }
  spec.masked_paths = default_masked_paths();
  spec.readonly_paths = default_readonly_paths();
  return spec;
}

ProcessConfig committed_process(const ProcessConfig& image, const RunOptions& options) {
  ProcessConfig process = image;
  if (options.entrypoint) process.entrypoint = *options.entrypoint;
  if (options.entrypoint || !options.args.empty()) process.cmd = options.args;
  if (options.user) process.user = *options.user;
  if (options.workdir) process.working_dir = *options.workdir;
  if (!options.env.empty()) {
    Environment env;
    for (const std::string& text : image.env.value_or(std::vector<std::string>{})) {
      env.set_text(text);
    }
    for (const EnvSetting& setting : options.env) apply_setting(env, setting, options.host_env);
    process.env = env.take();
  }
  return process;
}

}  // namespace lade::runner
