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
                    .map_err(|e| format!("{}: {}", shown(text), detail(&e)))?;
                as_number(&value).ok_or_else(|| {
                    format!(
                        "{} is {value}, which is no number (values of `params` are taken as they are written)",
                        shown(text)
                    )
                })
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
                .map_err(|e| format!("{}: {}", shown(text), detail(&e)))?;
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
    add_words(&mut environment);
    environment
});

/// Adds what WGSL does with the bits of a u32. Results are whole numbers to the evaluator, which multiplies those exactly.
fn add_words(environment: &mut Environment<'static>) {
    environment.add_function("u32", |a: Value| word(&a));
    environment.add_function("i32", |a: Value| word(&a).map(u32::cast_signed));
    environment.add_function("f32", |a: f64| f64::from(a as f32));
    environment.add_function("bit_not", |a: Value| word(&a).map(|a| !a));
    environment.add_function("count_one_bits", |a: Value| word(&a).map(u32::count_ones));
    /// What becomes of two words.
    type OfWords = fn(u32, u32) -> u32;
    let pairs: [(&'static str, OfWords); 6] = [
        ("bit_and", |a, b| a & b),
        ("bit_or", |a, b| a | b),
        ("bit_xor", |a, b| a ^ b),
        // WGSL takes the lowest five bits of how far.
        ("shift_left", u32::wrapping_shl),
        ("shift_right", u32::wrapping_shr),
        ("rotate_left", u32::rotate_left),
    ];
    for (name, function) in pairs {
        let of = move |a: Value, b: Value| Ok::<_, Error>(function(word(&a)?, word(&b)?));
        environment.add_function(name, of);
    }
}

/// A whole number as a u32 holds it: modulo 2^32.
fn word(value: &Value) -> Result<u32, Error> {
    /// Beyond it, a fraction by type no longer tells whole numbers apart.
    const MOST: f64 = 9_007_199_254_740_992.0;
    let number = as_number(value).filter(|n| n.fract() == 0.0);
    let whole = match i128::try_from(value.clone()) {
        Ok(whole) if value.is_integer() => Some(whole),
        _ => number.filter(|n| n.abs() <= MOST).map(|n| n as i128),
    };
    let wrapped = whole.and_then(|whole| u32::try_from(whole.rem_euclid(1 << 32)).ok());
    wrapped.ok_or_else(|| {
        let words = format!(
            "{value} is not a whole number up to 2**53, of which alone the bits are known; make its parts whole before they \
             are multiplied, as in u32(x[i]) * 747796405"
        );
        Error::new(ErrorKind::InvalidOperation, words)
    })
}

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
const FUNCTIONS: [&str; 33] = [
    "abs",
    "bit_and",
    "bit_not",
    "bit_or",
    "bit_xor",
    "ceil",
    "ceil_div",
    "cos",
    "count",
    "count_one_bits",
    "dot",
    "exp",
    "f32",
    "floor",
    "i32",
    "least",
    "log",
    "log2",
    "max",
    "min",
    "most",
    "pow",
    "rotate_left",
    "round",
    "shift_left",
    "shift_right",
    "sign",
    "sin",
    "sqrt",
    "tanh",
    "total",
    "trunc",
    "u32",
];

/// Most work of evaluating one, in minijinja's unit: an instruction, or 64 bytes.
const MOST_WORK: u64 = 100_000;

/// Longest expression.
const MOST_CHARACTERS: usize = 2000;

/// An expression in a message, not longer than a message should be.
fn shown(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}… ({} characters)", &text[..end], text.chars().count()),
    }
}

/// Compiles an expression in which only these names may stand.
pub(super) fn compile<'a>(
    text: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Expression<'static, 'static>, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || " \t\n_.+-*/%()<>=!,[]".contains(c);
    // Texts can be multiplied to any length; numbers are all that is needed.
    if text.len() > MOST_CHARACTERS || !text.chars().all(sound) {
        return Err(format!(
            "{} is no expression; use numbers, parameters, `+ - * / // % ** ( )`, comparisons and functions{}",
            shown(text),
            as_written_here(text)
        ));
    }
    let expression = ENVIRONMENT
        .compile_expression_owned(text.to_owned())
        .map_err(|e| {
            format!(
                "{}: {}; write numbers, names, operators and functions without units, as in \"(n + 63) // 64\"{}",
                shown(text),
                detail(&e),
                as_written_here(text)
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
                         function that docs/custom-kernels.md lists"
                    )
                },
                |close| format!("; did you mean {close:?}?"),
            );
            return Err(format!("{}: unknown name {name:?}{close}", shown(text)));
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
    } else if ["&", "|", "^", "~", "<<", ">>"].into_iter().any(has) {
        "; write `bit_and(a, b)`, `bit_or`, `bit_xor`, `bit_not`, `shift_left(a, n)`, `shift_right`; `**` raises to a power"
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
        // pcg_hash(1000), by Rust's own words.
        let state = 1000_u32
            .wrapping_mul(747_796_405)
            .wrapping_add(2_891_336_453);
        let hash = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
        let s = "u32(n * 747796405 + 2891336453)";
        let pcg =
            format!("u32(bit_xor(shift_right({s}, shift_right({s}, 28) + 4), {s}) * 277803737)");
        assert_eq!(whole(&pcg), Ok(u64::from(hash)));
        assert_eq!(whole("bit_not(0) - i32(4294967295) - 4294967296"), Ok(0));
        assert_eq!(
            whole("rotate_left(bit_or(1, 2147483648), 1) + count_one_bits(0xff)"),
            Ok(11)
        );
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
            ("n & 3", "write `bit_and(a, b)`"),
            ("n << 3", "`shift_left(a, n)`"),
            ("bit_and(n / 3, 1)", "not a whole number"),
            ("u32(n / 1.0 * 9007199254740993)", "u32(x[i]) * 747796405"),
            ("n // 0", "n // 0"),
        ] {
            let message = whole(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
