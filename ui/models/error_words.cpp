// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/error_words.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

// Null: the sentence comes from the workbench itself and is in its language already.
const char* kindOf(ErrorCode code) {
    switch (code) {
        case ErrorCode::InvalidArgument:
            return QT_TRANSLATE_NOOP("ErrorKind", "Something that was entered or sent is not valid.");
        case ErrorCode::NotFound:
            return QT_TRANSLATE_NOOP("ErrorKind", "It is not there.");
        case ErrorCode::AlreadyExists:
            return QT_TRANSLATE_NOOP("ErrorKind", "There is one of that name already.");
        case ErrorCode::Unsupported:
            return QT_TRANSLATE_NOOP("ErrorKind", "This is known and not supported.");
        case ErrorCode::TooLarge:
            return QT_TRANSLATE_NOOP("ErrorKind", "It is larger than allowed.");
        case ErrorCode::IoError:
            return QT_TRANSLATE_NOOP("ErrorKind", "Reading or writing failed.");
        case ErrorCode::DiskFull:
            return QT_TRANSLATE_NOOP("ErrorKind", "The disk is full.");
        case ErrorCode::CorruptFile:
            return QT_TRANSLATE_NOOP("ErrorKind", "A file is damaged.");
        case ErrorCode::ShapeMismatch:
            return QT_TRANSLATE_NOOP("ErrorKind", "A tensor has another shape than its model needs.");
        case ErrorCode::MissingTensor:
            return QT_TRANSLATE_NOOP("ErrorKind", "A tensor is missing.");
        case ErrorCode::NonFinite:
            return QT_TRANSLATE_NOOP("ErrorKind", "The weights hold NaN or infinity.");
        case ErrorCode::Busy:
            return QT_TRANSLATE_NOOP("ErrorKind", "The engine is busy.");
        case ErrorCode::PoolExhausted:
            return QT_TRANSLATE_NOOP("ErrorKind", "The device memory does not suffice.");
        case ErrorCode::ContextOverflow:
            return QT_TRANSLATE_NOOP("ErrorKind", "The text is longer than the context of the model.");
        case ErrorCode::Draining:
            return QT_TRANSLATE_NOOP("ErrorKind", "The server takes no new requests.");
        case ErrorCode::Cancelled:
            return QT_TRANSLATE_NOOP("ErrorKind", "It was cancelled.");
        case ErrorCode::Locked:
            return QT_TRANSLATE_NOOP("ErrorKind", "Another program has the workspace open.");
        case ErrorCode::Unauthorized:
            return QT_TRANSLATE_NOOP("ErrorKind", "The key is not accepted.");
        case ErrorCode::DeviceError:
            return QT_TRANSLATE_NOOP("ErrorKind", "The device reported an error.");
        case ErrorCode::Database:
            return QT_TRANSLATE_NOOP("ErrorKind", "The records of the workspace could not be used.");
        case ErrorCode::Internal:
            return QT_TRANSLATE_NOOP("ErrorKind", "An error in the program.");
        case ErrorCode::Network:
            break;
    }
    return nullptr;
}

// The engine's messages are joined from parts, so they begin small: here they stand as sentences. What may be the name
// of something stays as it is called.
QString asSentence(QString message) {
    static const QRegularExpression begin(QStringLiteral("^(?:[a-z]+ing|the|there|this|that|no|not) "));
    if (begin.match(message).hasMatch()) message[0] = message[0].toUpper();
    return message;
}

}  // namespace

QString wordsOf(const Error& error) {
    const QString sentence = asSentence(text(error.message));
    const char* kind = kindOf(error.code);
    if (!kind) return sentence;
    const QString words = QCoreApplication::translate("ErrorKind", kind);
    return words == QLatin1String(kind) ? sentence : words + QLatin1Char('\n') + sentence;
}

}  // namespace espalier::ui
