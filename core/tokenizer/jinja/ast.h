// SPDX-License-Identifier: GPL-3.0-or-later
// What the parser makes of a template and the interpreter walks over. Plain data; expressions know their height, which
// the parser bounds, so that walking and destroying them needs a bounded stack.
// Owner: the parsed template. Thread: any once built.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tokenizer/jinja/value.h"

namespace espalier::jinja {

enum class Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
    enum class Kind {
        Constant,  // constant
        Name,      // name
        List,
        Tuple,      // parts
        Dict,       // parts: key, value, key, value, ...
        Attribute,  // parts[0].name
        Item,       // parts[0][parts[1]]
        Slice,      // parts[0][parts[1]:parts[2]:parts[3]], each bound may be null
        Call,       // parts[0](parts[1...], keywords)
        Filter,     // parts[0] | name(parts[1...], keywords); parts[0] is null at the head of a filter block
        Test,       // parts[0] is name(parts[1...], keywords)
        Not,
        Negative,
        Positive,
        And,
        Or,
        Binary,       // operators[0]
        Compare,      // parts[0] operators[0] parts[1] operators[1] parts[2] ...
        Concat,       // parts joined by ~
        Conditional,  // parts[0] if parts[1] else parts[2], which may be null
    };
    Kind kind = Kind::Constant;
    int line = 0;
    int height = 1;
    std::string name;
    Value constant;
    std::vector<ExprPtr> parts;
    std::vector<std::pair<std::string, ExprPtr>> keywords;
    std::vector<Operator> operators;
};

// Where an assignment goes: a name, an attribute of a namespace, or several of these.
struct Target {
    std::string name;
    std::string attribute;        // of the namespace `name` when not empty
    std::vector<Target> several;  // unpacked when not empty
};

struct Parameter {
    std::string name;
    ExprPtr fallback;  // may be null
};

struct Statement;
using Body = std::vector<Statement>;

struct Branch {
    ExprPtr condition;  // null: else
    Body body;
};

struct Statement {
    enum class Kind {
        Text,       // text
        Output,     // expr
        If,         // branches
        For,        // for target in expr if condition: body, else otherwise
        Set,        // target = expr
        SetBlock,   // target = body | expr (a chain of filters, may be null)
        Macro,      // name(parameters): body
        CallBlock,  // body is the caller(parameters) of the call expr
        Filter,     // expr over body
        With,       // targets = values: body
        Body,       // body as it stands (generation)
        Break,
        Continue,
    };
    Kind kind = Kind::Text;
    int line = 0;
    std::string text;
    std::string name;
    ExprPtr expr;
    ExprPtr condition;
    Target target;
    std::vector<Parameter> parameters;
    std::vector<std::pair<Target, ExprPtr>> assignments;
    std::vector<Branch> branches;
    Body body;
    Body otherwise;
};

}  // namespace espalier::jinja
