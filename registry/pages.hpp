// Lists that registries hand out in pages: tags, the catalogue, referrers (distribution-spec,
// "Listing Tags"; RFC 8288).
#pragma once

#include "registry/http.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

class Session;

/// Which list.
struct PageRequest {
  std::string path;           ///< `/v2/NAME/tags/list`
  std::string query;          ///< of the first page, without `?`; may be empty
  std::string accept;         ///< empty: none is sent
  std::string scope;          ///< as for Session::request()
  std::string_view document;  ///< what it is in messages: `list of tags`
};

/// One page as it came.
struct Page {
  std::string what;  ///< the request, for messages
  std::string body;
  Headers headers;
};

/// Fetches page after page along `Link: …; rel="next"` and hands each to `take`. A link is followed
/// within the registry only. Throws NotFound (404), HttpError, Refused (a link elsewhere) and
/// InvalidData when the pages go in a circle or are larger than any list that there is.
void walk_pages(Session& session, const PageRequest& request,
                const std::function<void(const Page&)>& take);

/// The strings of the array `member` of all pages. Also where a registry obeys `n` and `last`
/// without sending a link.
std::vector<std::string> fetch_names(Session& session, PageRequest request,
                                     std::string_view member);

}  // namespace lade::registry
