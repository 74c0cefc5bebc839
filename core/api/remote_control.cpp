// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/remote_control.h"

#include "core/api/keys.h"
#include "core/api/protocol.h"
#include "core/base/hash.h"

namespace espalier {
namespace {

constexpr std::chrono::milliseconds kShortAnswer{5'000};  // for what a daemon answers without the engine

// Server-sent events of a streamed call: `text` pieces are passed on, the last of `result` and `error` is kept.
class StreamedAnswer {
public:
    explicit StreamedAnswer(const std::function<void(std::string_view)>& onText) : m_onText(onText) {}

    void take(std::string_view piece) {
        m_pending += piece;
        for (std::size_t end; (end = m_pending.find("\n\n")) != std::string::npos;) {
            event(std::string_view(m_pending).substr(0, end));
            m_pending.erase(0, end + 2);
        }
    }
    const std::optional<Json>& result() const { return m_result; }
    const std::optional<Error>& error() const { return m_error; }
    const std::string& rest() const { return m_pending; }  // a body that is not a stream of events

private:
    void event(std::string_view text) {
        constexpr std::string_view kEvent = "event: ", kData = "\ndata: ";
        const std::size_t data = text.find(kData);
        if (text.substr(0, kEvent.size()) != kEvent || data == std::string_view::npos) return;
        const std::string_view name = text.substr(kEvent.size(), data - kEvent.size());
        auto json = parseJson(text.substr(data + kData.size()), "the daemon's answer");
        if (!json) return;
        if (name == "text" && json->contains("text") && (*json)["text"].is_string())
            m_onText((*json)["text"].get_ref<const std::string&>());
        if (name == "result") m_result = std::move(*json);
        if (name == "error") m_error = errorFromJson(*json);
    }

    const std::function<void(std::string_view)>& m_onText;
    std::string m_pending;
    std::optional<Json> m_result;
    std::optional<Error> m_error;
};

Result<Json> answerFrom(const HttpResponse& response, const std::string& url) {
    constexpr JsonLimits kAnswerLimits{64, UINT64_MAX};  // httpCall bounds it
    TRY_ASSIGN(Json body, parseJson(response.body, "the answer of " + url, kAnswerLimits));
    if (response.status == 200) return body;
    return errorFromJson(body.is_object() && body.contains("error") ? body["error"] : body);
}

}  // namespace

Result<std::unique_ptr<RemoteControl>> RemoteControl::connect(FileSystem& files, const DaemonAddress& address) {
    if (!files.exists(address.keyFile))
        return fail(ErrorCode::NotFound, "the daemon's key file " + address.keyFile + " is not there", address.keyFile);
    TRY_ASSIGN(std::string key, loadOrMakeAdminKey(files, address.keyFile));
    return std::unique_ptr<RemoteControl>(new RemoteControl(address, std::move(key)));
}

HttpCall RemoteControl::callOf(std::string_view operation, const Json& arguments) const {
    HttpCall call;
    call.url = m_address.url;
    call.path = "/control/" + std::string(operation);
    call.key = m_key;
    call.certificate = m_address.certificate;
    call.body = dumpJson(arguments);
    return call;
}

// Ends another call of ours as a stop ends one in this process: it answers with what it has. True when the daemon knew
// the call; false also while the call is still on its way there.
bool RemoteControl::cancel(const std::string& callId) const {
    HttpCall call = callOf("cancel", {{"call", callId}});
    call.answerTimeout = kShortAnswer;
    const auto response = httpCall(call);
    const auto answer = response ? answerFrom(*response, m_address.url) : Result<Json>(response.error());
    return answer && answer->value("cancelled", false);
}

Result<bool> RemoteControl::isThere() const {
    HttpCall call = callOf("hello", Json::object());
    call.answerTimeout = kShortAnswer;
    TRY_ASSIGN(const HttpResponse response, httpCall(call));
    return response.status == 200;
}

Result<Json> RemoteControl::call(std::string_view operation, const Json& arguments, const CallOptions& options) {
    Json named = arguments;
    const std::string id = randomToken(16);
    if (options.stop.stop_possible()) named["call_id"] = id;
    if (options.onText) named["stream"] = true;
    HttpCall call = callOf(operation, named);
    call.stop = options.stop;
    call.onStop = [&] { return cancel(id); };
    if (!options.onText) {
        TRY_ASSIGN(const HttpResponse response, httpCall(call));
        return answerFrom(response, m_address.url);
    }
    StreamedAnswer answer(options.onText);
    call.onBody = [&](std::string_view piece) { answer.take(piece); };
    TRY_ASSIGN(HttpResponse response, httpCall(call));
    if (answer.error()) return *answer.error();
    if (answer.result()) return *answer.result();
    response.body = answer.rest();
    return answerFrom(response, m_address.url);
}

Result<std::unique_ptr<ControlPort>> runningDaemon(FileSystem& files, const Path& workspace) {
    TRY_ASSIGN(const auto address, readDaemonFile(files, workspace));
    if (!address) return std::unique_ptr<ControlPort>();
    TRY_ASSIGN(std::unique_ptr<RemoteControl> control, RemoteControl::connect(files, *address));
    // A crash leaves the file behind, and something else may have the port by now. Whoever really holds the workspace
    // holds its lock too, and opening it will say so.
    const auto there = control->isThere();
    if (!there || !*there) return std::unique_ptr<ControlPort>();
    return std::unique_ptr<ControlPort>(std::move(control));
}

}  // namespace espalier
