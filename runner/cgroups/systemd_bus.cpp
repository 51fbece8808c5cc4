#include "runner/cgroups/systemd_bus.hpp"

#include "base/error.hpp"
#include "base/shared_library.hpp"
#include "base/text.hpp"

#include <chrono>
#include <optional>
#include <system_error>
#include <type_traits>

// What is called of libsystemd, sd-bus(3): its interface has been the same since version 221, and
// its headers would be one more thing to have for a few names.
extern "C" {
struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;
struct SdBusError {
  const char* name;
  const char* message;
  int to_be_freed;
};
using sd_bus_message_handler_t = int (*)(sd_bus_message*, void*, SdBusError*);
}

namespace lade::runner {

namespace {

constexpr const char* k_soname = "libsystemd.so.0";
constexpr const char* k_service = "org.freedesktop.systemd1";
constexpr const char* k_object = "/org/freedesktop/systemd1";
constexpr const char* k_interface = "org.freedesktop.systemd1.Manager";
/// How long systemd may take over one job.
constexpr std::chrono::seconds k_patience{30};
constexpr std::uint64_t k_call_timeout = 25'000'000;  // microseconds

/// The functions.
struct Library {
  explicit Library(const SharedLibrary& from);

  int (*open_system)(sd_bus**);
  int (*open_user)(sd_bus**);
  sd_bus* (*flush_close_unref)(sd_bus*);
  int (*match_signal)(sd_bus*, sd_bus_slot**, const char*, const char*, const char*, const char*,
                      sd_bus_message_handler_t, void*);
  int (*process)(sd_bus*, sd_bus_message**);
  int (*wait)(sd_bus*, std::uint64_t);
  int (*call)(sd_bus*, sd_bus_message*, std::uint64_t, SdBusError*, sd_bus_message**);
  int (*new_method_call)(sd_bus*, sd_bus_message**, const char*, const char*, const char*,
                         const char*);
  sd_bus_message* (*message_unref)(sd_bus_message*);
  int (*append)(sd_bus_message*, const char*, ...);
  int (*append_array)(sd_bus_message*, char, const void*, std::size_t);
  int (*open_container)(sd_bus_message*, char, const char*);
  int (*close_container)(sd_bus_message*);
  int (*read)(sd_bus_message*, const char*, ...);
  void (*error_free)(SdBusError*);
};

Library::Library(const SharedLibrary& from) {
  const auto find = [&from](auto*& function, const char* name) {
    function = from.function<std::remove_reference_t<decltype(*function)>>(name);
  };
  find(open_system, "sd_bus_open_system");
  find(open_user, "sd_bus_open_user");
  find(flush_close_unref, "sd_bus_flush_close_unref");
  find(match_signal, "sd_bus_match_signal");
  find(process, "sd_bus_process");
  find(wait, "sd_bus_wait");
  find(call, "sd_bus_call");
  find(new_method_call, "sd_bus_message_new_method_call");
  find(message_unref, "sd_bus_message_unref");
  find(append, "sd_bus_message_append");
  find(append_array, "sd_bus_message_append_array");
  find(open_container, "sd_bus_message_open_container");
  find(close_container, "sd_bus_message_close_container");
  find(read, "sd_bus_message_read");
  find(error_free, "sd_bus_error_free");
}

std::string reason_of(int code) {
  return std::generic_category().message(code);
}

/// A job of systemd's that came to its end.
struct EndedJob {
  std::string path;
  std::string result;
};

/// How a value's type is called on the bus.
const char* signature_of(const SystemdProperty::Value& value) {
  constexpr const char* signatures[] = {"b", "i", "t", "s", "as", "au", "ay"};
  return signatures[value.index()];
}

/// What systemd said of a call that it refused.
class BusError {
 public:
  explicit BusError(const Library& library) : library_(library) {}
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { library_.error_free(&error_); }

  SdBusError* get() { return &error_; }
  bool is(std::string_view name) const { return error_.name != nullptr && error_.name == name; }
  std::string text(int code) const {
    return error_.message != nullptr ? printable(error_.message) : reason_of(-code);
  }

 private:
  const Library& library_;
  SdBusError error_{nullptr, nullptr, 0};
};

}  // namespace

class SystemdManager::Bus {
 public:
  explicit Bus(SystemdInstance instance);
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus() { library_->flush_close_unref(bus_); }

  /// A message to the manager, and its answer.
  class Call;
  const Library& library() const noexcept { return *library_; }
  /// Waits for the end of a job, whose result is `done` if it is well.
  std::string await(const std::string& job);

 private:
  static int note_ended(sd_bus_message* message, void* self, SdBusError* error);

  std::unique_ptr<SharedLibrary> shared_;
  std::optional<Library> library_;
  sd_bus* bus_ = nullptr;
  std::vector<EndedJob> ended_;
};

SystemdManager::Bus::Bus(SystemdInstance instance) : shared_(SharedLibrary::find(k_soname)) {
  const auto fail = [](std::string_view why) {
    Error error(str("ask systemd for a cgroup: ", why));
    error.set_hint("`--cgroup-manager cgroupfs` does without it");
    throw error;
  };
  if (!shared_) fail(str(quoted(k_soname), " is not installed"));
  library_.emplace(*shared_);
  const bool is_user = instance == SystemdInstance::user;
  const int code = (is_user ? library_->open_user : library_->open_system)(&bus_);
  if (code < 0) {
    fail(str("open the ", is_user ? "user's" : "system's", " message bus: ", reason_of(-code)));
  }
  // Before any job, so that no end is missed.
  const int matched = library_->match_signal(bus_, nullptr, k_service, k_object, k_interface,
                                             "JobRemoved", note_ended, this);
  if (matched < 0) {
    library_->flush_close_unref(bus_);
    fail(str("listen for the ends of jobs: ", reason_of(-matched)));
  }
}

int SystemdManager::Bus::note_ended(sd_bus_message* message, void* self, SdBusError* /*error*/) {
  auto* const bus = static_cast<Bus*>(self);
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (bus->library_->read(message, "uoss", &id, &job, &unit, &result) < 0) return 0;
  bus->ended_.push_back({job, result});
  return 0;
}

std::string SystemdManager::Bus::await(const std::string& job) {
  const auto deadline = std::chrono::steady_clock::now() + k_patience;
  for (;;) {
    for (const EndedJob& each : ended_) {
      if (each.path == job) return each.result;
    }
    const int code = library_->process(bus_, nullptr);
    if (code < 0) throw SystemError(-code, "wait for systemd");
    if (code > 0) continue;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) throw Busy(str("wait for systemd: job ", quoted(job), " does not end"));
    library_->wait(bus_, static_cast<std::uint64_t>(left.count()));
  }
}

/// One call of a method. What cannot be appended makes send() fail.
class SystemdManager::Bus::Call {
 public:
  Call(Bus& bus, const char* method) : bus_(bus), library_(bus.library()), error_(library_) {
    check(library_.new_method_call(bus.bus_, &message_, k_service, k_object, k_interface, method));
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    library_.message_unref(message_);
    library_.message_unref(answer_);
  }

  template <class... Args>
  Call& append(const char* signature, const Args&... args) {
    check(library_.append(message_, signature, args...));
    return *this;
  }
  Call& open(char type, const char* contents) {
    check(library_.open_container(message_, type, contents));
    return *this;
  }
  Call& close() {
    check(library_.close_container(message_));
    return *this;
  }
  Call& append(const std::vector<SystemdProperty>& properties) {
    open('a', "(sv)");
    for (const SystemdProperty& each : properties) {
      open('r', "sv").append("s", each.name.c_str()).open('v', signature_of(each.value));
      std::visit([this](const auto& value) { append_value(value); }, each.value);
      close().close();
    }
    return close();
  }

  /// Whether it was done; if not, what() says why and failed_with() how it is called.
  bool send() {
    code_ = library_.call(bus_.bus_, message_, k_call_timeout, error_.get(), &answer_);
    return code_ >= 0;
  }
  bool failed_with(std::string_view name) const { return error_.is(name); }
  std::string what() const { return error_.text(code_); }
  /// The answer of a method that begins a job.
  std::string job() {
    const char* path = nullptr;
    check(library_.read(answer_, "o", &path));
    return path;
  }

 private:
  static void check(int code) {
    if (code < 0) throw SystemError(-code, "write a message to systemd");
  }
  void append_value(bool value) { append("b", static_cast<int>(value)); }
  void append_value(std::int32_t value) { append("i", value); }
  void append_value(std::uint64_t value) { append("t", value); }
  void append_value(const std::string& value) { append("s", value.c_str()); }
  void append_value(const std::vector<std::string>& values) {
    open('a', "s");
    for (const std::string& value : values) append_value(value);
    close();
  }
  template <class Number>
  void append_value(const std::vector<Number>& values) {
    check(library_.append_array(message_, sizeof(Number) == 1 ? 'y' : 'u', values.data(),
                                values.size() * sizeof(Number)));
  }

  Bus& bus_;
  const Library& library_;
  BusError error_;
  sd_bus_message* message_ = nullptr;
  sd_bus_message* answer_ = nullptr;
  int code_ = 0;
};

SystemdManager::SystemdManager(SystemdInstance instance) : bus_(std::make_unique<Bus>(instance)) {}
SystemdManager::~SystemdManager() = default;

void SystemdManager::start_scope(const SystemdUnit& unit, pid_t process,
                                 std::string_view description,
                                 const std::vector<SystemdProperty>& properties) {
  std::vector<SystemdProperty> all{
      {"Description", std::string(description)},
      {"Slice", unit.slice},
      {"DefaultDependencies", false},
      {"PIDs", std::vector<std::uint32_t>{static_cast<std::uint32_t>(process)}},
      {"Delegate", true},  // below it the container divides as it likes
      {"CPUAccounting", true},
      {"MemoryAccounting", true},
      {"TasksAccounting", true},
  };
  all.insert(all.end(), properties.begin(), properties.end());
  const std::string what = str("start systemd unit ", quoted(unit.name), ": ");
  // A scope of a container that failed and was not cleared away is in the way of nobody.
  Bus::Call(*bus_, "ResetFailedUnit").append("s", unit.name.c_str()).send();
  Bus::Call call(*bus_, "StartTransientUnit");
  call.append("ss", unit.name.c_str(), "fail").append(all).append("a(sa(sv))", 0);
  if (!call.send()) {
    if (call.failed_with("org.freedesktop.systemd1.UnitExists")) throw Busy(what + call.what());
    throw Error(what + call.what());
  }
  const std::string result = bus_->await(call.job());
  if (result != "done") throw Error(what + "the job ended as " + quoted(result));
}

void SystemdManager::set_properties(const std::string& unit,
                                    const std::vector<SystemdProperty>& properties) {
  if (properties.empty()) return;
  Bus::Call call(*bus_, "SetUnitProperties");
  call.append("sb", unit.c_str(), 1).append(properties);
  if (!call.send()) throw Error(str("change systemd unit ", quoted(unit), ": ", call.what()));
}

void SystemdManager::stop(const std::string& unit) {
  Bus::Call call(*bus_, "StopUnit");
  call.append("ss", unit.c_str(), "replace");
  if (call.send()) {
    bus_->await(call.job());
  } else if (!call.failed_with("org.freedesktop.systemd1.NoSuchUnit")) {
    throw Error(str("stop systemd unit ", quoted(unit), ": ", call.what()));
  }
  Bus::Call(*bus_, "ResetFailedUnit").append("s", unit.c_str()).send();
}

}  // namespace lade::runner
