//! Operations of a subgroup that only some of its threads reach, and single elements that all of them write.
//!
//! A value is taken to differ between the threads of a subgroup if it comes from a thread's number or from what
//! was loaded at a place that does. What a condition on such a value guards is reached by some threads only.

use std::collections::{BTreeSet, HashSet};

use naga::{
    Barrier, Binding, Block, BuiltIn, CollectiveOperation, EntryPoint, Expression, Function,
    GatherMode, Handle, LocalVariable, Module, Statement,
};

use super::expression::{each_statement, name_of, operands, shared_root};
use super::hazard::Hazard;

/// Subgroup operations under conditions that differ within a subgroup, and writes to one element by all its threads.
pub(super) fn hazards(module: &Module, entry: &EntryPoint) -> Vec<Hazard> {
    let function = &entry.function;
    let arguments = function
        .arguments
        .iter()
        .map(|argument| differs_by_thread(argument.binding.as_ref()))
        .collect();
    let mut found = BTreeSet::new();
    examine(module, function, arguments, false, &mut found);
    if entry.workgroup_size == [1, 1, 1] {
        // There is no other thread to differ from or to race with.
        found.retain(|hazard| !matches!(hazard, Hazard::SameElement { .. }));
    }
    found.into_iter().collect()
}

/// Walks a function whose arguments differ within a subgroup, or not, as given.
fn examine(
    module: &Module,
    function: &Function,
    arguments: Vec<bool>,
    divergent: bool,
    found: &mut BTreeSet<Hazard>,
) {
    let mut values = Values {
        function,
        arguments,
        locals: HashSet::new(),
        results: HashSet::new(),
    };
    values.note_results();
    loop {
        let before = values.locals.len();
        values.note_stores(&function.body, divergent);
        if values.locals.len() == before {
            break;
        }
    }
    let mut walk = DivergenceWalk {
        module,
        values: &values,
        found,
    };
    walk.block(&function.body, divergent);
}

/// Whether a built-in value differs between the threads of a subgroup.
fn differs_by_thread(binding: Option<&Binding>) -> bool {
    !matches!(
        binding,
        Some(Binding::BuiltIn(
            BuiltIn::WorkGroupId
                | BuiltIn::WorkGroupSize
                | BuiltIn::NumWorkGroups
                | BuiltIn::NumSubgroups
                | BuiltIn::SubgroupId
                | BuiltIn::SubgroupSize
        ))
    )
}

/// Which values of a function differ within a subgroup.
struct Values<'f> {
    function: &'f Function,
    arguments: Vec<bool>,
    locals: HashSet<Handle<LocalVariable>>,
    /// Results of statements that differ.
    results: HashSet<Handle<Expression>>,
}

impl Values<'_> {
    /// Notes the results of scans and shuffles; those of reductions and broadcasts are the same for all.
    fn note_results(&mut self) {
        let mut differing = Vec::new();
        each_statement(&self.function.body, &mut |statement| match statement {
            Statement::SubgroupCollectiveOperation {
                collective_op,
                result,
                ..
            } if *collective_op != CollectiveOperation::Reduce => differing.push(*result),
            Statement::SubgroupGather { mode, result, .. }
                if !matches!(mode, GatherMode::BroadcastFirst | GatherMode::Broadcast(_)) =>
            {
                differing.push(*result);
            }
            Statement::Atomic {
                result: Some(result),
                ..
            } => differing.push(*result),
            _ => {}
        });
        self.results.extend(differing);
    }

    /// Notes the local variables that take a differing value, or take one under a differing condition.
    fn note_stores(&mut self, block: &Block, divergent: bool) {
        let mut divergent = divergent;
        for statement in block {
            match statement {
                Statement::Store { pointer, value } => {
                    if let Some(local) = self.local_of(*pointer)
                        && (divergent || self.differs(*value) || self.differs_in_place(*pointer))
                    {
                        self.locals.insert(local);
                    }
                }
                Statement::Call {
                    arguments,
                    result: Some(result),
                    ..
                } if divergent || arguments.iter().any(|argument| self.differs(*argument)) => {
                    self.results.insert(*result);
                }
                _ => {}
            }
            for (inner, inside) in self.inner(statement, divergent) {
                self.note_stores(inner, inside);
            }
            divergent |= self.some_leave(statement, divergent);
        }
    }

    /// The blocks inside a statement, and whether only some threads of a subgroup reach each.
    fn inner<'s>(&self, statement: &'s Statement, divergent: bool) -> Vec<(&'s Block, bool)> {
        match statement {
            Statement::Block(block) => vec![(block, divergent)],
            Statement::If {
                condition,
                accept,
                reject,
            } => {
                let inside = divergent || self.differs(*condition);
                vec![(accept, inside), (reject, inside)]
            }
            Statement::Switch { selector, cases } => {
                let inside = divergent || self.differs(*selector);
                cases.iter().map(|case| (&case.body, inside)).collect()
            }
            Statement::Loop {
                body,
                continuing,
                break_if,
            } => {
                let inside = divergent
                    || break_if.is_some_and(|condition| self.differs(condition))
                    || self.some_break(body);
                vec![(body, inside), (continuing, inside)]
            }
            _ => Vec::new(),
        }
    }

    /// Whether some threads of a subgroup leave a loop before others.
    fn some_break(&self, body: &Block) -> bool {
        body.iter().any(|statement| match statement {
            Statement::If {
                condition,
                accept,
                reject,
            } => {
                let leaves = |block: &Block| leaves(block, true);
                self.differs(*condition) && (leaves(accept) || leaves(reject))
                    || self.some_break(accept)
                    || self.some_break(reject)
            }
            Statement::Block(block) => self.some_break(block),
            _ => false,
        })
    }

    /// Whether some threads of a subgroup return in a statement, so that only the others reach what follows.
    fn some_leave(&self, statement: &Statement, divergent: bool) -> bool {
        self.inner(statement, divergent)
            .into_iter()
            .any(|(block, inside)| inside && !divergent && leaves(block, false))
    }

    fn local_of(&self, pointer: Handle<Expression>) -> Option<Handle<LocalVariable>> {
        match self.function.expressions[pointer] {
            Expression::LocalVariable(local) => Some(local),
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                self.local_of(base)
            }
            _ => None,
        }
    }

    /// Whether the place that a pointer leads to differs.
    fn differs_in_place(&self, pointer: Handle<Expression>) -> bool {
        match self.function.expressions[pointer] {
            Expression::Access { base, index } => {
                self.differs(index) || self.differs_in_place(base)
            }
            Expression::AccessIndex { base, .. } => self.differs_in_place(base),
            _ => false,
        }
    }

    /// Whether a value differs between the threads of a subgroup.
    fn differs(&self, expression: Handle<Expression>) -> bool {
        match &self.function.expressions[expression] {
            Expression::FunctionArgument(number) => self
                .arguments
                .get(*number as usize)
                .copied()
                .unwrap_or(true),
            Expression::LocalVariable(local) => self.locals.contains(local),
            Expression::CallResult(_)
            | Expression::AtomicResult { .. }
            | Expression::SubgroupOperationResult { .. } => self.results.contains(&expression),
            other => operands(other)
                .into_iter()
                .any(|operand| self.differs(operand)),
        }
    }
}

/// Whether a block returns, or, if asked, breaks out of a loop around it.
fn leaves(block: &Block, breaks: bool) -> bool {
    block.iter().any(|statement| match statement {
        Statement::Return { .. } => true,
        Statement::Break => breaks,
        Statement::Block(inner) => leaves(inner, breaks),
        Statement::If { accept, reject, .. } => leaves(accept, breaks) || leaves(reject, breaks),
        // A break inside leaves the inner loop or switch only.
        Statement::Loop { body, .. } => leaves(body, false),
        Statement::Switch { cases, .. } => cases.iter().any(|case| leaves(&case.body, false)),
        _ => false,
    })
}

/// A walk that looks for subgroup operations and writes to shared memory.
struct DivergenceWalk<'w> {
    module: &'w Module,
    values: &'w Values<'w>,
    found: &'w mut BTreeSet<Hazard>,
}

impl DivergenceWalk<'_> {
    fn block(&mut self, block: &Block, divergent: bool) {
        let mut divergent = divergent;
        for statement in block {
            self.found.extend(match divergent {
                true => self
                    .operation(statement)
                    .map(|operation| Hazard::Divergent { operation }),
                false => self.same_element(statement),
            });
            if let Statement::Call {
                function,
                arguments,
                ..
            } = statement
            {
                let callee = &self.module.functions[*function];
                let differ = arguments.iter().map(|a| self.values.differs(*a)).collect();
                examine(self.module, callee, differ, divergent, self.found);
            }
            for (inner, inside) in self.values.inner(statement, divergent) {
                self.block(inner, inside);
            }
            divergent |= self.values.some_leave(statement, divergent);
        }
    }

    /// The write to one element of shared memory that a statement is, which all threads of a subgroup reach.
    fn same_element(&self, statement: &Statement) -> Option<Hazard> {
        let Statement::Store { pointer, .. } = statement else {
            return None;
        };
        let variable = shared_root(self.module, self.values.function, *pointer)?;
        let variable = name_of(self.module, variable);
        (!self.values.differs(*pointer)).then_some(Hazard::SameElement { variable })
    }

    /// The subgroup operation that a statement is or computes.
    fn operation(&self, statement: &Statement) -> Option<&'static str> {
        match statement {
            Statement::SubgroupBallot { .. } => Some("subgroupBallot"),
            Statement::SubgroupGather { .. } => Some("a subgroup broadcast or shuffle"),
            Statement::SubgroupCollectiveOperation { .. } => Some("a subgroup reduction or scan"),
            Statement::CooperativeStore { .. } => Some("coopStore"),
            Statement::ControlBarrier(barrier) if barrier.contains(Barrier::SUB_GROUP) => {
                Some("subgroupBarrier")
            }
            Statement::Emit(range) => range.clone().find_map(|expression| {
                match self.values.function.expressions[expression] {
                    Expression::CooperativeLoad { .. } => Some("coopLoad"),
                    Expression::CooperativeMultiplyAdd { .. } => Some("coopMultiplyAdd"),
                    _ => None,
                }
            }),
            _ => None,
        }
    }
}
