#include "oci/reference.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace lade {

namespace {

constexpr std::string_view k_default_domain = "docker.io";
constexpr std::size_t k_longest_name = 255;
constexpr std::size_t k_longest_tag = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}
bool is_lower_alnum(char c) {
  return is_digit(c) || is_lower(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

/// Calls `check` for each part between separators; whether it was true of all. Copies nothing:
/// listing an index parses thousands of references.
template <class Check>
bool all_parts(std::string_view text, char separator, const Check& check) {
  for (;;) {
    const auto end = text.find(separator);
    if (!check(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

/// Letters and digits with hyphens between them.
bool is_domain_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

/// `[` hexadecimal digits and colons `]`, an IPv6 address.
bool is_bracketed_address(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view inner = host.substr(1, host.size() - 2);
  return std::all_of(inner.begin(), inner.end(),
                     [](char c) { return is_hex(c) || (c >= 'A' && c <= 'F') || c == ':'; });
}

bool is_domain(std::string_view domain) {
  // A colon within brackets does not begin the port.
  const auto bracket = domain.find_last_of(']');
  const auto colon = domain.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = domain.substr(colon + 1);
    if (port.empty() || !std::all_of(port.begin(), port.end(), is_digit)) return false;
    const auto number = parse_number<unsigned>(port);
    if (!number || *number > 65535) return false;
  }
  const std::string_view host = domain.substr(0, colon);
  if (is_bracketed_address(host)) return true;
  return all_parts(host, '.', is_domain_label);
}

/// What may stand between letters and digits: `.`, `_`, `__` or any number of `-`.
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" ||
         std::all_of(text.begin(), text.end(), [](char c) { return c == '-'; });
}

bool is_path_component(std::string_view component) {
  if (component.empty() || !is_lower_alnum(component.front()) ||
      !is_lower_alnum(component.back())) {
    return false;
  }
  while (!component.empty()) {
    const auto* word_end = std::find_if_not(component.begin(), component.end(), is_lower_alnum);
    const auto* next_word = std::find_if(word_end, component.end(), is_lower_alnum);
    if (!is_separator({word_end, static_cast<std::size_t>(next_word - word_end)})) return false;
    component.remove_prefix(static_cast<std::size_t>(next_word - component.begin()));
  }
  return true;
}

bool is_image_id(std::string_view name) {
  return name.size() == 64 && std::all_of(name.begin(), name.end(), is_hex);
}

bool is_domain_component(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost";
}

/// Cuts a reference into the parts of its grammar and checks each.
class ReferenceParser {
 public:
  explicit ReferenceParser(std::string_view text) : text_(text), name_(text) {
    if (text.empty()) fail("it is empty");
    cut_digest();
    cut_tag();
    cut_domain();
    check_path();
    if (domain.size() + 1 + path.size() > k_longest_name) {
      fail(str("repository names have at most ", k_longest_name, " characters"));
    }
  }

  std::string domain;
  std::string path;
  std::optional<std::string> tag;
  std::optional<Digest> digest;

 private:
  [[noreturn]] void fail(std::string_view rule) const {
    throw UsageError(str("invalid reference ", quoted(text_.substr(0, 512)), ": ", rule));
  }

  void cut_digest() {
    const auto at = name_.find('@');
    if (at == std::string_view::npos) return;
    digest = Digest::try_parse(name_.substr(at + 1));
    if (!digest) {
      fail("after `@` comes sha256: and 64, or sha512: and 128, lower-case hex digits");
    }
    name_ = name_.substr(0, at);
  }

  void cut_tag() {
    const auto colon = name_.find_last_of(':');
    const auto slash = name_.find_last_of('/');
    if (colon == std::string_view::npos) return;
    if (slash != std::string_view::npos && colon < slash) return;
    const std::string_view after = name_.substr(colon + 1);
    if (!is_valid_tag(after)) {
      fail(
          "a tag is up to 128 letters, digits, `_`, `.` and `-`, and begins with none of the last "
          "two");
    }
    tag = std::string(after);
    name_ = name_.substr(0, colon);
  }

  void cut_domain() {
    if (is_image_id(name_)) fail("64 hex digits are an image id, not a repository name");
    const auto slash = name_.find('/');
    const std::string_view first = name_.substr(0, slash);
    if (slash == std::string_view::npos || !is_domain_component(first)) {
      domain = k_default_domain;
      path = name_;
    } else {
      if (!is_domain(first)) {
        fail(str(quoted(first), " is not a registry host with an optional port"));
      }
      domain = first;
      path = name_.substr(slash + 1);
    }
    if (domain == "index.docker.io" || domain == "registry-1.docker.io") {
      domain = k_default_domain;
    }
    if (domain == k_default_domain && !path.empty() && path.find('/') == std::string::npos) {
      path.insert(0, "library/");
    }
  }

  void check_path() const {
    if (path.empty()) fail("it has no repository name");
    if (std::any_of(path.begin(), path.end(), is_upper)) {
      fail("repository names are lower case");
    }
    all_parts(path, '/', [&](std::string_view component) {
      if (component.empty()) fail("a part of the repository name is empty");
      if (is_path_component(component)) return true;
      fail(str("the part ", quoted(component),
               " of the repository name is not letters and digits separated by one `.`, one or "
               "two `_`, or `-`"));
    });
  }

  std::string_view text_;
  std::string_view name_;  // what is left to cut
};

}  // namespace

bool is_valid_tag(std::string_view text) {
  if (text.empty() || text.size() > k_longest_tag) return false;
  if (text.front() == '.' || text.front() == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

Reference Reference::parse(std::string_view text) {
  ReferenceParser parser(text);
  Reference reference;
  reference.domain_ = std::move(parser.domain);
  reference.path_ = std::move(parser.path);
  reference.tag_ = std::move(parser.tag);
  reference.digest_ = std::move(parser.digest);
  return reference;
}

std::string Reference::repository() const {
  return str(domain_, '/', path_);
}

std::string Reference::text() const {
  std::string text = repository();
  if (tag_) text += str(':', *tag_);
  if (digest_) text += str('@', digest_->text());
  return text;
}

Reference Reference::with_default_tag() const {
  if (tag_ || digest_) return *this;
  return with_tag("latest");
}

Reference Reference::with_tag(std::string tag) const {
  Reference other = *this;
  other.tag_ = std::move(tag);
  other.digest_.reset();
  return other;
}

Reference Reference::with_digest(Digest digest) const {
  Reference other = *this;
  other.tag_.reset();
  other.digest_ = std::move(digest);
  return other;
}

}  // namespace lade
