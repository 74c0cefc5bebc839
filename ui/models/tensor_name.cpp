// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tensor_name.h"

#include <QRegularExpression>

namespace espalier::ui {

std::optional<LayerName> layerOf(const QString& tensor) {
    static const QRegularExpression layer(
        QStringLiteral("^((?:[^.]+[.])*?)((?:layers?|h|blk)[.]([0-9]{1,6}))[.](.+)$"));
    static const QRegularExpression wrapper(
        QStringLiteral("^(?:(?:model|transformer|gpt_neox|bert|roberta|distilbert|encoder)[.])+"));
    const auto match = layer.match(tensor);
    if (!match.hasMatch()) return std::nullopt;
    return LayerName{match.captured(1).remove(wrapper) + match.captured(2), match.captured(3).toInt(),
                     match.captured(4)};
}

}  // namespace espalier::ui
