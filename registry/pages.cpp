#include "registry/pages.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "registry/link.hpp"
#include "registry/session.hpp"

#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace lade::registry {

namespace {

/// What all registries allow: Amazon's refuses more.
constexpr std::size_t k_page_size = 1000;
constexpr std::size_t k_most_pages = 100'000;
/// docker-registry before 3.0 sends all the names that it has in one page.
constexpr std::size_t k_page_cap = 16 * 1024 * 1024;
constexpr std::size_t k_list_cap = 256 * 1024 * 1024;

/// Whether an absolute link means this registry. One behind a proxy may know neither its scheme nor
/// its port; what is asked is the registry as it was named, whatever the link says.
bool is_same_registry(const Url& link, const Url& base) {
  const std::uint16_t usual = link.secure() ? 443 : 80;
  return link.host == base.host && (link.port == base.port || link.port == usual);
}

/// `n=0` in a link means no page at all by the specification; GitHub's registry sends it.
std::string without_empty_pages(std::string target) {
  const auto question = target.find('?');
  if (question == std::string::npos) return target;
  std::vector<std::string> parameters = split(std::string_view(target).substr(question + 1), '&');
  for (std::string& parameter : parameters) {
    if (parameter == "n=0") parameter = str("n=", k_page_size);
  }
  return str(target.substr(0, question), '?', join(parameters, "&"));
}

/// Old Artifactory leaves the front of the path out: the same list is always at the same path.
std::string on_path(const std::string& target, const std::string& path) {
  const auto question = std::min(target.find('?'), target.size());
  const std::string_view there = std::string_view(target).substr(0, question);
  const bool is_list = there.ends_with("/tags/list") || there.ends_with("/_catalog");
  return is_list ? path + target.substr(question) : target;
}

std::optional<std::string> next_target(const Response& response, const Url& base,
                                       const PageRequest& request) {
  const auto link = find_next_link(response.headers.all("Link"));
  if (!link) return std::nullopt;
  const auto next = response.url.resolve(*link);
  if (!next || !is_same_registry(*next, base)) {
    throw Refused(str(response.what(), ": the next page is at ", quoted(*link),
                      ", which is not this registry"));
  }
  return without_empty_pages(on_path(next->target, request.path));
}

struct FetchedPage {
  Page page;
  std::optional<std::string> next;
};

FetchedPage fetch_page(Session& session, const PageRequest& request, const std::string& target) {
  return with_retries(session.retry(), session.stop(), [&] {
    Headers headers;
    headers.add("Accept-Encoding", "identity");
    if (!request.accept.empty()) headers.add("Accept", request.accept);
    Response response = session.request(Method::get, target, headers, request.scope);
    if (response.status == 404) throw NotFound(make_http_error(response).message());
    if (response.status != 200) session.fail(response);
    const std::string what = response.what();
    FetchedPage fetched{.page = {.what = what}};
    fetched.page.body = read_all(*response.body, k_page_cap, str(what, ": the ", request.document));
    fetched.next = next_target(response, session.base(), request);
    fetched.page.headers = std::move(response.headers);
    return fetched;
  });
}

std::string first_target(const PageRequest& request) {
  return request.query.empty() ? request.path : str(request.path, '?', request.query);
}

}  // namespace

void walk_pages(Session& session, const PageRequest& request,
                const std::function<void(const Page&)>& take) {
  std::set<std::string> visited;
  std::size_t bytes = 0;
  std::optional<std::string> target = first_target(request);
  while (target) {
    if (!visited.insert(*target).second || visited.size() > k_most_pages) {
      throw InvalidData(str("read ", quoted(request.path), ": the pages go in a circle"));
    }
    FetchedPage fetched = fetch_page(session, request, *target);
    bytes += fetched.page.body.size();
    if (bytes > k_list_cap) {
      throw InvalidData(str(fetched.page.what, ": the ", request.document, " is larger than ",
                            human_size(k_list_cap)));
    }
    take(fetched.page);
    target = std::move(fetched.next);
  }
}

std::vector<std::string> fetch_names(Session& session, PageRequest request,
                                     std::string_view member) {
  std::vector<std::string> names;
  std::vector<std::string> page_names;
  std::size_t pages = 0;
  const auto take = [&](const Page& page) {
    page_names = in_context([&] { return page.what; },
                            [&] { return parse_text_list(page.body, request.document, member); });
    names.insert(names.end(), page_names.begin(), page_names.end());
    ++pages;
  };
  request.query = str("n=", k_page_size);
  walk_pages(session, request, take);
  // A full page without a link is the end by the specification, but not with every registry: one
  // that has never sent a link is asked for what comes after the last name.
  for (std::size_t walks = 1; walks == pages && page_names.size() == k_page_size; ++walks) {
    const std::vector<std::string> before = std::exchange(page_names, {});
    const std::size_t count = names.size();
    request.query = str("n=", k_page_size, "&last=", percent_encode(before.back()));
    walk_pages(session, request, take);
    const bool is_ignored = !page_names.empty() && page_names.front() == before.front();
    if (is_ignored || walks == k_most_pages) {
      names.resize(count);
      break;
    }
  }
  return names;
}

}  // namespace lade::registry
