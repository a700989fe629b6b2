//! Numbers of a manifest: written out, or as expressions over its parameters.
//!
//! The evaluator is that of the shader templates, minijinja: `/` divides to a fraction, `//` to a whole number, `**`
//! raises. A few functions are added here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use minijinja::value::{Rest, Value};
use minijinja::{Environment, Error, ErrorKind, Expression, UndefinedBehavior};
use serde::Deserialize;

use super::columns::BufferColumn;
use crate::error::nearest;
use crate::workload::kit::template::detail;

/// A number of a manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "a number, or an expression in quotes such as \"n // 64\""
)]
pub(super) enum Amount {
    /// A whole number.
    Whole(i64),
    /// A number.
    Fraction(f64),
    /// An expression.
    Expression(String),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Fraction(number) => number.fmt(f),
            Self::Expression(text) => write!(f, "{text:?}"),
        }
    }
}

/// The values of the parameters of one case.
#[derive(Clone, Debug, Default)]
pub(super) struct ParameterScope(pub(super) BTreeMap<String, Value>);

impl ParameterScope {
    /// The same with another value.
    pub(super) fn with(&self, name: &str, value: Value) -> Self {
        let mut values = self.0.clone();
        values.insert(name.to_owned(), value);
        Self(values)
    }

    /// The number that an amount stands for.
    pub(super) fn number(&self, amount: &Amount) -> Result<f64, String> {
        match amount {
            Amount::Whole(number) => Ok(*number as f64),
            Amount::Fraction(number) => Ok(*number),
            Amount::Expression(text) => {
                let expression = compile(text, self.0.keys().map(String::as_str))?;
                let value = expression
                    .eval(Value::from(self.0.clone()))
                    .map_err(|e| format!("{text:?}: {}", detail(&e)))?;
                as_number(&value).ok_or_else(|| format!("{text:?} is {value}, which is no number"))
            }
        }
    }

    /// The whole number from 0 up that an amount stands for.
    pub(super) fn whole(&self, amount: &Amount) -> Result<u64, String> {
        /// The most that every step of the way holds exactly.
        const MOST: f64 = 9_007_199_254_740_992.0;
        let number = self.number(amount)?;
        if number.fract() == 0.0 && (0.0..=MOST).contains(&number) {
            Ok(number as u64)
        } else {
            Err(format!(
                "{amount} is {number}, and a whole number from 0 up is needed"
            ))
        }
    }

    /// A text with `${…}` replaced by what stands in it.
    pub(super) fn text(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            out += &rest[..start];
            let inside = &rest[start + 2..];
            let end = inside
                .find('}')
                .ok_or_else(|| format!("{text:?}: `${{` without `}}`"))?;
            let expression = compile(&inside[..end], self.0.keys().map(String::as_str))?;
            let value = expression
                .eval(Value::from(self.0.clone()))
                .map_err(|e| format!("{text:?}: {}", detail(&e)))?;
            let number = value.is_number().then(|| as_number(&value)).flatten();
            match number {
                Some(number) => out += &number.to_string(),
                None => out += &value.to_string(),
            }
            rest = &inside[end + 1..];
        }
        Ok(out + rest)
    }

    /// The parameters that are numbers.
    pub(super) fn numbers(&self) -> BTreeMap<String, f64> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), as_number(value)?)))
            .collect()
    }
}

/// A function of one number.
type Unary = fn(f64) -> f64;

/// The functions of expressions beside the operators.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_WORK));
    environment.add_function("min", f64::min);
    environment.add_function("max", f64::max);
    environment.add_function("pow", f64::powf);
    environment.add_function("ceil_div", |a: f64, b: f64| (a / b).ceil());
    let unary: [(&'static str, Unary); 13] = [
        ("abs", f64::abs),
        ("ceil", f64::ceil),
        ("cos", f64::cos),
        ("exp", f64::exp),
        ("floor", f64::floor),
        ("log", f64::ln),
        ("log2", f64::log2),
        ("round", f64::round_ties_even),
        ("sign", f64::signum),
        ("sin", f64::sin),
        ("sqrt", f64::sqrt),
        ("tanh", f64::tanh),
        ("trunc", f64::trunc),
    ];
    for (name, function) in unary {
        environment.add_function(name, function);
    }
    environment.add_function(
        "total",
        |column: Value, from: Option<usize>, to: Option<usize>| {
            let column = BufferColumn::of(&column)?;
            Ok::<_, Error>(column.total(from.unwrap_or(0), to.unwrap_or(usize::MAX)))
        },
    );
    environment.add_function("least", |column: Value| {
        Ok::<_, Error>(BufferColumn::of(&column)?.least())
    });
    environment.add_function("most", |column: Value| {
        Ok::<_, Error>(BufferColumn::of(&column)?.most())
    });
    environment.add_function("count", |column: Value, number: f64| {
        Ok::<_, Error>(BufferColumn::of(&column)?.count(number))
    });
    environment.add_function("dot", |arguments: Rest<Value>| dot(&arguments));
    environment
});

/// `dot(a, a_first, a_step, b, b_first, b_step, n)`.
fn dot(arguments: &[Value]) -> Result<f64, Error> {
    let [a, a_first, a_step, b, b_first, b_step, n] = arguments else {
        return Err(Error::new(
            ErrorKind::MissingArgument,
            "dot takes (a, a_first, a_step, b, b_first, b_step, n)",
        ));
    };
    let place = |value: &Value| {
        let number = as_number(value).filter(|n| n.fract() == 0.0 && (0.0..1e15).contains(n));
        number.map(|number| number as usize).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "dot takes whole numbers from 0 up",
            )
        })
    };
    let (a, b) = (BufferColumn::of(a)?, BufferColumn::of(b)?);
    let (a_first, a_step) = (place(a_first)?, place(a_step)?);
    let (b_first, b_step) = (place(b_first)?, place(b_step)?);
    let products =
        (0..place(n)?).map(|k| Some(a.at(a_first + k * a_step)? * b.at(b_first + k * b_step)?));
    products.sum::<Option<f64>>().ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            "dot goes beyond the end of a buffer",
        )
    })
}

/// Names that expressions have without a manifest.
const FUNCTIONS: [&str; 22] = [
    "abs", "ceil", "ceil_div", "cos", "count", "dot", "exp", "floor", "least", "log", "log2",
    "max", "min", "most", "pow", "round", "sign", "sin", "sqrt", "tanh", "total", "trunc",
];

/// Most work of evaluating one, in minijinja's unit: an instruction, or 64 bytes.
const MOST_WORK: u64 = 100_000;

/// Longest expression.
const MOST_CHARACTERS: usize = 2000;

/// Compiles an expression in which only these names may stand.
pub(super) fn compile<'a>(
    text: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Expression<'static, 'static>, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || " \t\n_.+-*/%()<>=!,[]".contains(c);
    // Texts can be multiplied to any length; numbers are all that is needed.
    if text.len() > MOST_CHARACTERS || !text.chars().all(sound) {
        return Err(format!(
            "{text:?} is no expression; use numbers, parameters, `+ - * / // % ** ( )`, comparisons and functions{}",
            as_written_here(text)
        ));
    }
    let expression = ENVIRONMENT
        .compile_expression_owned(text.to_owned())
        .map_err(|e| {
            format!(
                "{text:?}: {}; write numbers, names, operators and functions without units, as in \"(n + 63) // 64\"",
                detail(&e)
            )
        })?;
    let declared: Vec<&str> = names.into_iter().collect();
    let known: Vec<&str> = declared.iter().copied().chain(FUNCTIONS).collect();
    for name in expression.undeclared_variables(false) {
        if !known.contains(&name.as_str()) {
            let close = nearest(&name, known.iter().copied()).map_or_else(
                || {
                    let there = match declared.as_slice() {
                        [] => "no `params` are declared".to_owned(),
                        names => format!("there are {}", names.join(", ")),
                    };
                    format!(
                        "; {there}; give it values under `params`, as in `params = {{ {name} = [64, 256] }}`, or use a \
                         function: {}",
                        FUNCTIONS.join(", ")
                    )
                },
                |close| format!("; did you mean {close:?}?"),
            );
            return Err(format!("{text:?}: unknown name {name:?}{close}"));
        }
    }
    Ok(expression)
}

/// How an expression says what other languages write with a sign that it does not have.
fn as_written_here(text: &str) -> &'static str {
    let has = |sign: &str| text.contains(sign);
    if has("&&") || has("||") {
        "; write `and`, `or` and `not`"
    } else if has("?") {
        "; write `a if condition else b`"
    } else if has("&") || has("|") || has("^") {
        "; for single bits use `//` and `%`, as in `n // 8 % 2`; `**` raises to a power"
    } else {
        ""
    }
}

/// A number, or a truth as 0 and 1.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    if value.is_number() {
        f64::try_from(value.clone()).ok()
    } else {
        bool::try_from(value.clone())
            .ok()
            .map(|truth| f64::from(u8::from(truth)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, ParameterScope};

    fn scope() -> ParameterScope {
        ParameterScope([("n".to_owned(), 1000.into())].into())
    }

    fn whole(text: &str) -> Result<u64, String> {
        scope().whole(&Amount::Expression(text.to_owned()))
    }

    #[test]
    fn expressions_have_the_usual_arithmetic() {
        assert_eq!(whole("256/64"), Ok(4));
        assert_eq!(whole("ceil_div(n, 64)"), Ok(16));
        assert_eq!(whole("(n + 63) // 64 * 2 ** 3"), Ok(128));
        assert_eq!(whole("max(n, 2048) if n > 3 else 1"), Ok(2048));
        assert_eq!(
            scope().text("x-${n}/${n * 2}"),
            Ok("x-1000/2000".to_owned())
        );
    }

    #[test]
    fn what_is_no_whole_number_or_no_expression_is_refused() {
        for (text, says) in [
            ("n / 3", "333.33"),
            ("0 - n", "-1000"),
            ("m + 1", "unknown name \"m\""),
            ("sqrr(4)", "did you mean \"sqrt\""),
            ("n +", "n +"),
            ("'a' * 99999999", "no expression"),
            ("10 ** 400", "10 ** 400"),
            ("n > 3 && n < 5", "write `and`"),
            ("n > 3 ? 1 : 2", "`a if condition else b`"),
            ("n & 3", "use `//` and `%`"),
            ("n // 0", "n // 0"),
        ] {
            let message = whole(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
