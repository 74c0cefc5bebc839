// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a chat template over one conversation: refused, or text whose marks lie inside it, in order.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/tokenizer/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    if (size > 4096) return 0;
    const auto made = ChatTemplate::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!made) return 0;
    ChatInput input;
    input.messages = OrderedJson::array({{{"role", "system"}, {"content", "Be kind."}},
                                         {{"role", "user"}, {"content", "héllo <|eot_id|>\n 1 "}, {"name", "Ann"}},
                                         {{"role", "assistant"}, {"content", nullptr}}});
    input.tools = OrderedJson::array({{{"type", "function"}, {"function", {{"name", "add"}, {"size", 1.5}}}}});
    input.specialTokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    input.unixSeconds = 1'772'874'303;
    const auto chat = (*made)->render(input);
    if (!chat) return 0;
    std::size_t end = 0;
    for (const TextRange& range : chat->verbatim) {
        CHECK(range.begin >= end && range.begin < range.end && range.end <= chat->text.size());
        end = range.end;
    }
    return 0;
}
