// SPDX-License-Identifier: GPL-3.0-or-later
// Prometheus text, exposition format 0.0.4: the lines that metrics.h and tenant_metrics.h are made of.
//
// Thread: any.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace espalier {

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;  // names are ours

// The HELP and TYPE lines of a family; its samples must follow.
void printFamily(std::string& out, std::string_view name, std::string_view help, std::string_view type);
// name{label="value",...} number. What a value holds, whoever chose it, stays in its quotes.
void printSample(std::string& out, std::string_view name, MetricLabels labels, double value);

std::string metricName(std::string_view bareName);  // with the prefix "espalier:"
std::string metricNumber(double value);             // whole numbers in full, others to ten digits

}  // namespace espalier
