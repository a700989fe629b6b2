//! What is known to divide the strides and offsets of cooperative matrices.
//!
//! The value of an expression is described by the largest power of two that divides it for certain; a local
//! variable by that of everything that is ever stored in it.

use std::collections::HashMap;

use naga::proc::Layouter;
use naga::{
    BinaryOperator, CooperativeData, Expression, Function, Handle, Literal, LocalVariable,
    MathFunction, Module, Statement, TypeInner,
};

use super::expression::{each_statement, name_of, shared_root};
use super::hazard::Hazard;
use super::vector_store::pointee;

/// What a matrix and its rows must be aligned to, in bytes.
const BYTES: u64 = 16;

/// Zero is a multiple of everything.
const ANYTHING: u64 = 1 << 32;

/// Loads and stores of matrices that are not known to be aligned.
pub(super) fn hazards(module: &Module, function: &Function) -> Vec<Hazard> {
    let accesses = accesses(function);
    let mut layouter = Layouter::default();
    if accesses.is_empty() || layouter.update(module.to_ctx()).is_err() {
        return Vec::new();
    }
    let known = Divisors::new(module, function);
    let mut hazards = Vec::new();
    for data in accesses {
        let Some(variable) = shared_root(module, function, data.pointer) else {
            continue;
        };
        let element = element_bytes(module, function, data.pointer, &layouter);
        let stride = known.divisor(data.stride).saturating_mul(element);
        let offset = known.offset(data.pointer);
        for (what, multiple_of_bytes) in [("stride", stride), ("offset", offset)] {
            if multiple_of_bytes % BYTES != 0 {
                hazards.push(Hazard::MatrixAlignment {
                    variable: name_of(module, variable),
                    what,
                    multiple_of_bytes,
                });
            }
        }
    }
    hazards
}

/// Every load and store of a matrix.
fn accesses(function: &Function) -> Vec<CooperativeData> {
    let loads = function.expressions.iter();
    let mut all: Vec<CooperativeData> = loads
        .filter_map(|(_, expression)| match expression {
            Expression::CooperativeLoad { data, .. } => Some(*data),
            _ => None,
        })
        .collect();
    each_statement(&function.body, &mut |statement| {
        if let Statement::CooperativeStore { data, .. } = statement {
            all.push(*data);
        }
    });
    all
}

/// Bytes of the element that a pointer leads to.
fn element_bytes(
    module: &Module,
    function: &Function,
    pointer: Handle<Expression>,
    layouter: &Layouter,
) -> u64 {
    let base = match function.expressions[pointer] {
        Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => base,
        _ => return 1,
    };
    match pointee(module, function, base) {
        Some(TypeInner::Array { base, .. }) => u64::from(layouter[*base].size),
        Some(TypeInner::Vector { scalar, .. }) => u64::from(scalar.width),
        _ => 1,
    }
}

/// What is known of a function's values.
struct Divisors<'f> {
    module: &'f Module,
    function: &'f Function,
    locals: HashMap<Handle<LocalVariable>, u64>,
}

impl<'f> Divisors<'f> {
    fn new(module: &'f Module, function: &'f Function) -> Self {
        let mut known = Self {
            module,
            function,
            locals: HashMap::new(),
        };
        for (local, variable) in function.local_variables.iter() {
            let divisor = variable.init.map_or(ANYTHING, |init| known.divisor(init));
            known.locals.insert(local, divisor);
        }
        // Divisors only shrink, by factors of two, so this ends.
        while known.stores_shrink() {}
        known
    }

    /// Takes every store to a local variable into account; whether that changed anything.
    fn stores_shrink(&mut self) -> bool {
        let mut stores = Vec::new();
        each_statement(&self.function.body, &mut |statement| {
            if let Statement::Store { pointer, value } = statement
                && let Expression::LocalVariable(local) = self.function.expressions[*pointer]
            {
                stores.push((local, *value));
            }
        });
        let mut changed = false;
        for (local, value) in stores {
            let divisor = self.divisor(value);
            if let Some(known) = self.locals.get_mut(&local)
                && divisor < *known
            {
                *known = divisor;
                changed = true;
            }
        }
        changed
    }

    /// The largest power of two that is known to divide an expression's value.
    fn divisor(&self, expression: Handle<Expression>) -> u64 {
        match &self.function.expressions[expression] {
            Expression::Literal(literal) => of_literal(*literal),
            Expression::Constant(constant) => {
                let init = self.module.constants[*constant].init;
                match self.module.global_expressions[init] {
                    Expression::Literal(literal) => of_literal(literal),
                    Expression::ZeroValue(_) => ANYTHING,
                    _ => 1,
                }
            }
            Expression::ZeroValue(_) => ANYTHING,
            Expression::Binary { op, left, right } => self.of_binary(*op, *left, *right),
            Expression::Select { accept, reject, .. } => {
                self.divisor(*accept).min(self.divisor(*reject))
            }
            Expression::Math {
                fun: MathFunction::Min | MathFunction::Max,
                arg,
                arg1: Some(arg1),
                ..
            } => self.divisor(*arg).min(self.divisor(*arg1)),
            Expression::As { expr, .. } => self.divisor(*expr),
            Expression::Load { pointer } => match self.function.expressions[*pointer] {
                Expression::LocalVariable(local) => self.locals.get(&local).copied().unwrap_or(1),
                _ => 1,
            },
            _ => 1,
        }
    }

    fn of_binary(
        &self,
        op: BinaryOperator,
        left: Handle<Expression>,
        right: Handle<Expression>,
    ) -> u64 {
        let (a, b) = (self.divisor(left), self.divisor(right));
        match op {
            BinaryOperator::Multiply => a.saturating_mul(b).min(ANYTHING),
            BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Modulo => a.min(b),
            BinaryOperator::And => a.max(b),
            BinaryOperator::InclusiveOr | BinaryOperator::ExclusiveOr => a.min(b),
            // Exact where a power of two is divided by one.
            BinaryOperator::Divide => match self.constant(right) {
                Some(divisor) if divisor.is_power_of_two() => (a / divisor).max(1),
                _ => 1,
            },
            BinaryOperator::ShiftLeft => match self.constant(right) {
                Some(places) if places < 32 => (a << places).min(ANYTHING),
                _ => a,
            },
            BinaryOperator::ShiftRight => match self.constant(right) {
                Some(places) if places < 32 => (a >> places).max(1),
                _ => 1,
            },
            _ => 1,
        }
    }

    /// The value of an expression that is a literal.
    fn constant(&self, expression: Handle<Expression>) -> Option<u64> {
        let literal = match self.function.expressions[expression] {
            Expression::Literal(literal) => literal,
            Expression::Constant(constant) => {
                match self.module.global_expressions[self.module.constants[constant].init] {
                    Expression::Literal(literal) => literal,
                    _ => return None,
                }
            }
            _ => return None,
        };
        whole(literal)
    }

    /// What is known to divide the place that a pointer leads to, in bytes from its variable.
    fn offset(&self, pointer: Handle<Expression>) -> u64 {
        let step = |base, index: u64| {
            let within = match pointee(self.module, self.function, base) {
                Some(TypeInner::Array { stride, .. }) => index.saturating_mul(u64::from(*stride)),
                Some(TypeInner::Vector { scalar, .. }) => {
                    index.saturating_mul(u64::from(scalar.width))
                }
                _ => 1,
            };
            within.min(self.offset(base))
        };
        match &self.function.expressions[pointer] {
            Expression::Access { base, index } => step(*base, self.divisor(*index)),
            Expression::AccessIndex { base, index } => {
                match pointee(self.module, self.function, *base) {
                    Some(TypeInner::Struct { members, .. }) => {
                        let member = members
                            .get(*index as usize)
                            .map_or(1, |m| of_whole(m.offset.into()));
                        member.min(self.offset(*base))
                    }
                    _ => step(*base, of_whole((*index).into())),
                }
            }
            Expression::GlobalVariable(_) => ANYTHING,
            _ => 1,
        }
    }
}

/// A literal that is a whole number.
fn whole(literal: Literal) -> Option<u64> {
    match literal {
        Literal::U32(value) => Some(value.into()),
        Literal::I32(value) => u64::try_from(value).ok(),
        Literal::U64(value) => Some(value),
        Literal::I64(value) | Literal::AbstractInt(value) => u64::try_from(value).ok(),
        _ => None,
    }
}

fn of_literal(literal: Literal) -> u64 {
    whole(literal).map_or(1, of_whole)
}

/// The largest power of two that divides a whole number.
fn of_whole(value: u64) -> u64 {
    if value == 0 {
        ANYTHING
    } else {
        1 << value.trailing_zeros().min(32)
    }
}
