// SPDX-License-Identifier: GPL-3.0-or-later
// Limits of a tenant as people read and write them, in the language in use.
#pragma once

#include <QString>
#include <optional>
#include <vector>

#include "core/engine/tenants.h"

namespace espalier::ui {

struct LimitField {
    QString key;  // as the control protocol calls it; "expires" for expires_at
    QString label, unit, name;
};
std::vector<LimitField> limitFields();  // in the order of the form

// A limit that is a count. Requires: `key` is one of limitFields, neither "weight" nor "expires".
std::int64_t limitOf(const TenantLimits& limits, const QString& key);
// Exact, so that reading it again gives the same: "120", "2,000,000", "none", "never".
QString shownLimit(const TenantLimits& limits, const QString& key);

// "2.5 M", "30k", "2,000,000": none and nothing are 0, no limit. Nothing when it is not a count: a separator of
// thousands with anything but three digits behind it is more likely a decimal point of another language.
std::optional<std::int64_t> countFromText(const QString& text);
std::optional<double> weightFromText(const QString& text);

}  // namespace espalier::ui
