//! Workgroup memory that one thread writes and another reads, and whether a barrier stands in between.
//!
//! The entry point is walked in the order of execution, calls included. Each loop is taken to run at least once
//! and is walked a second time, for what its end and its beginning do to each other. An element that is accessed
//! by the same index expression in both places is taken for a thread's own.

use std::collections::{BTreeMap, BTreeSet};

use naga::{
    AddressSpace, Barrier, Block, Expression, Function, GlobalVariable, Handle, Module, Statement,
};

use super::expression::{name_of, operands, shared_root};
use super::hazard::Hazard;

/// Accesses by other threads with no workgroup barrier in between.
pub(super) fn hazards(module: &Module, entry: &Function) -> Vec<Hazard> {
    let mut walk = OrderWalk {
        module,
        pending: Pending::default(),
        found: BTreeSet::new(),
    };
    walk.block(entry, &entry.body);
    walk.found
        .into_iter()
        .map(|(variable, subgroup_barrier)| Hazard::Unordered {
            variable: name_of(module, variable),
            subgroup_barrier,
        })
        .collect()
}

/// What was accessed since the last workgroup barrier.
#[derive(Clone, Default)]
struct Pending {
    /// Index expressions of writes by variable.
    writes: BTreeMap<Handle<GlobalVariable>, BTreeSet<String>>,
    /// Those of them that a subgroup barrier came after.
    before_subgroup_barrier: BTreeSet<Handle<GlobalVariable>>,
}

impl Pending {
    fn merge(&mut self, other: Self) {
        for (variable, keys) in other.writes {
            self.writes.entry(variable).or_default().extend(keys);
        }
        self.before_subgroup_barrier
            .extend(other.before_subgroup_barrier);
    }
}

/// A walk through an entry point.
struct OrderWalk<'m> {
    module: &'m Module,
    pending: Pending,
    found: BTreeSet<(Handle<GlobalVariable>, bool)>,
}

impl OrderWalk<'_> {
    fn block(&mut self, function: &Function, block: &Block) {
        for statement in block {
            self.statement(function, statement);
        }
    }

    fn statement(&mut self, function: &Function, statement: &Statement) {
        match statement {
            Statement::Emit(range) => {
                for expression in range.clone() {
                    match &function.expressions[expression] {
                        Expression::Load { pointer } => self.read(function, *pointer),
                        Expression::CooperativeLoad { data, .. } => {
                            self.read(function, data.pointer);
                        }
                        _ => {}
                    }
                }
            }
            Statement::Store { pointer, .. } => self.write(function, *pointer),
            Statement::CooperativeStore { data, .. } => self.write(function, data.pointer),
            Statement::ControlBarrier(barrier) => self.barrier(*barrier),
            Statement::WorkGroupUniformLoad { .. } => self.barrier(Barrier::WORK_GROUP),
            Statement::Call { function, .. } => {
                let callee = &self.module.functions[*function];
                self.block(callee, &callee.body);
            }
            Statement::Block(block) => self.block(function, block),
            Statement::If { accept, reject, .. } => self.branches(function, &[accept, reject]),
            Statement::Switch { cases, .. } => {
                let bodies: Vec<&Block> = cases.iter().map(|case| &case.body).collect();
                self.branches(function, &bodies);
            }
            Statement::Loop {
                body, continuing, ..
            } => {
                self.block(function, body);
                self.block(function, continuing);
                let after = self.pending.clone();
                self.block(function, body);
                self.block(function, continuing);
                self.pending = after;
            }
            _ => {}
        }
    }

    /// Either of several blocks.
    fn branches(&mut self, function: &Function, blocks: &[&Block]) {
        let before = self.pending.clone();
        let mut after = Pending::default();
        for block in blocks {
            self.pending = before.clone();
            self.block(function, block);
            after.merge(std::mem::take(&mut self.pending));
        }
        self.pending = after;
    }

    fn barrier(&mut self, barrier: Barrier) {
        if barrier.contains(Barrier::WORK_GROUP) {
            self.pending = Pending::default();
        } else if barrier.contains(Barrier::SUB_GROUP) {
            let written = self.pending.writes.keys().copied();
            self.pending.before_subgroup_barrier.extend(written);
        }
    }

    fn workgroup_root(
        &self,
        function: &Function,
        pointer: Handle<Expression>,
    ) -> Option<Handle<GlobalVariable>> {
        let variable = shared_root(self.module, function, pointer)?;
        let space = self.module.global_variables[variable].space;
        (space == AddressSpace::WorkGroup).then_some(variable)
    }

    fn write(&mut self, function: &Function, pointer: Handle<Expression>) {
        if let Some(variable) = self.workgroup_root(function, pointer) {
            let key = key(function, pointer);
            self.pending.writes.entry(variable).or_default().insert(key);
            self.pending.before_subgroup_barrier.remove(&variable);
        }
    }

    fn read(&mut self, function: &Function, pointer: Handle<Expression>) {
        let Some(variable) = self.workgroup_root(function, pointer) else {
            return;
        };
        let Some(written) = self.pending.writes.get(&variable) else {
            return;
        };
        let key = key(function, pointer);
        if written.iter().any(|by| *by != key) {
            let subgroup = self.pending.before_subgroup_barrier.contains(&variable);
            self.found.insert((variable, subgroup));
        }
    }
}

/// How a pointer is computed, written out: two with the same text lead to the same place for one thread.
fn key(function: &Function, expression: Handle<Expression>) -> String {
    let found = &function.expressions[expression];
    match found {
        Expression::LocalVariable(local) => {
            let name = function.local_variables[*local].name.clone();
            name.unwrap_or_else(|| format!("{local:?}"))
        }
        Expression::Literal(literal) => format!("{literal:?}"),
        Expression::FunctionArgument(number) => format!("argument {number}"),
        Expression::GlobalVariable(variable) => format!("global {variable:?}"),
        Expression::Constant(constant) => format!("constant {constant:?}"),
        Expression::Access { base, index } => {
            format!("{}[{}]", key(function, *base), key(function, *index))
        }
        Expression::AccessIndex { base, index } => format!("{}.{index}", key(function, *base)),
        Expression::Binary { op, left, right } => format!(
            "({} {op:?} {})",
            key(function, *left),
            key(function, *right)
        ),
        other => {
            let name = format!("{other:?}");
            let name = name.split([' ', '{', '(']).next().unwrap_or_default();
            let inner: Vec<String> = operands(other)
                .into_iter()
                .map(|operand| key(function, operand))
                .collect();
            format!("{name}({})", inner.join(", "))
        }
    }
}
