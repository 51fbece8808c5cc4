// Text for bash.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// One word that bash reads as exactly `text`. What a terminal would act on is escaped. Throws
/// UsageError for a zero byte, which no word can have.
std::string shell_word(std::string_view text);

/// Words with a blank between them.
std::string shell_words(const std::vector<std::string>& words);

/// `text`, which has no line end, as a comment of its own line.
std::string shell_comment(std::string_view text);

}  // namespace lade::runner
