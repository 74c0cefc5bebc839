// SPDX-License-Identifier: GPL-3.0-or-later
// The syntax tree of a chat template and its parser: the Jinja2 subset that published templates use, read with
// trim_blocks and lstrip_blocks on. Whatever is outside the subset is refused by name and line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/template_value.h"

namespace espalier::templates {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Argument {
    std::string name;  // empty: by position
    ExpressionPtr value;
};

enum class ExpressionKind {
    Literal,    // value
    Name,       // name
    List,       // children
    Dict,       // children: key, value, key, value
    Attribute,  // children[0] . name
    Item,       // children[0] [ children[1] ]
    Slice,      // children[0] [ 1 : 2 : 3 ], absent parts null
    Call,       // children[0] ( arguments )
    Filter,     // children[0] | name ( arguments )
    Test,       // children[0] is [not] name ( arguments )
    Unary,      // name: "not", "-", "+"
    Binary,     // name: "and", "or", "+", "-", "*", "/", "//", "%", "**", "~", "==", ..., "in", "not in"
    Condition,  // children[0] if children[1] else children[2] (null: undefined)
};

struct Expression {
    ExpressionKind kind = ExpressionKind::Literal;
    int line = 0;
    Value value;
    std::string name;
    bool negated = false;
    std::vector<ExpressionPtr> children;
    std::vector<Argument> arguments;
};

struct Statement;
using Block = std::vector<Statement>;

enum class StatementKind { Text, Output, If, For, Set, SetBlock, Macro, Break, Continue };

struct Branch {
    ExpressionPtr condition;  // null: else
    Block body;
};

struct Statement {
    StatementKind kind = StatementKind::Text;
    int line = 0;
    std::string text;                  // Text
    ExpressionPtr expression;          // Output; Set: the value; For: what is iterated
    std::vector<std::string> targets;  // For, Set; "ns.field" for an attribute of a namespace
    ExpressionPtr filter;              // For: the `if`
    std::vector<Branch> branches;      // If
    Block body, otherwise;             // For, SetBlock
    std::shared_ptr<const Macro> macro;
};

struct Macro {
    struct Parameter {
        std::string name;
        ExpressionPtr fallback;  // null: none
    };
    std::string name;
    std::vector<Parameter> parameters;
    Block body;
};

// Errors: corrupt_file (syntax) and unsupported, both with the line; too_large over 1 MiB or nested too deep.
Result<Block> parseTemplate(std::string_view source, std::string_view where);

}  // namespace espalier::templates
