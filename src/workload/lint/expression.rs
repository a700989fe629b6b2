//! What the rules ask of naga's expressions and statements: operands, inner blocks, where a pointer leads.

use naga::{AddressSpace, Block, Expression, Function, GlobalVariable, Handle, Module, Statement};

/// The expressions that an expression is computed from.
pub(super) fn operands(expression: &Expression) -> Vec<Handle<Expression>> {
    use Expression as E;
    match expression {
        E::Access { base, index } => vec![*base, *index],
        E::AccessIndex { base: one, .. }
        | E::Splat { value: one, .. }
        | E::Swizzle { vector: one, .. }
        | E::Load { pointer: one }
        | E::Unary { expr: one, .. }
        | E::As { expr: one, .. }
        | E::Derivative { expr: one, .. }
        | E::Relational { argument: one, .. }
        | E::ArrayLength(one)
        | E::CooperativeLoad {
            data: naga::CooperativeData { pointer: one, .. },
            ..
        } => vec![*one],
        E::Compose { components, .. } => components.clone(),
        E::Binary { left, right, .. } => vec![*left, *right],
        E::Select {
            condition,
            accept,
            reject,
        } => vec![*condition, *accept, *reject],
        E::Math {
            arg,
            arg1,
            arg2,
            arg3,
            ..
        } => [Some(*arg), *arg1, *arg2, *arg3]
            .into_iter()
            .flatten()
            .collect(),
        E::CooperativeMultiplyAdd { a, b, c } => vec![*a, *b, *c],
        E::ImageLoad { coordinate, .. } | E::ImageSample { coordinate, .. } => vec![*coordinate],
        _ => Vec::new(),
    }
}

/// The variable in workgroup or storage memory that a pointer leads to.
pub(super) fn shared_root(
    module: &Module,
    function: &Function,
    pointer: Handle<Expression>,
) -> Option<Handle<GlobalVariable>> {
    match function.expressions[pointer] {
        Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
            shared_root(module, function, base)
        }
        Expression::GlobalVariable(variable) => {
            let space = module.global_variables[variable].space;
            matches!(
                space,
                AddressSpace::WorkGroup | AddressSpace::Storage { .. }
            )
            .then_some(variable)
        }
        _ => None,
    }
}

/// The name of a variable, for messages.
pub(super) fn name_of(module: &Module, variable: Handle<GlobalVariable>) -> String {
    let name = module.global_variables[variable].name.clone();
    name.unwrap_or_else(|| "a variable without a name".to_owned())
}

/// The blocks inside a statement.
pub(super) fn inner_blocks(statement: &Statement) -> Vec<&Block> {
    match statement {
        Statement::Block(block) => vec![block],
        Statement::If { accept, reject, .. } => vec![accept, reject],
        Statement::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
        Statement::Loop {
            body, continuing, ..
        } => vec![body, continuing],
        _ => Vec::new(),
    }
}

/// Every statement of a block, inner ones too.
pub(super) fn each_statement<'b>(block: &'b Block, visit: &mut dyn FnMut(&'b Statement)) {
    for statement in block {
        visit(statement);
        for inner in inner_blocks(statement) {
            each_statement(inner, visit);
        }
    }
}
