//! Columns of an answer, read by name and type.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int64Array, RecordBatch,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use std::collections::HashMap;

use crate::error::{Error, Result};

/// Texts by number; each stands once.
#[derive(Default)]
pub(super) struct Texts {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

/// The number of no text.
pub(super) const NO_TEXT: u32 = u32::MAX;

impl Texts {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }

    pub(super) fn text(&self, number: u32) -> Option<&str> {
        self.texts.get(number as usize).map(String::as_str)
    }

    /// The numbers of a column's texts, row by row.
    pub(super) fn column(&mut self, batch: &RecordBatch, name: &str) -> Result<Vec<u32>> {
        let column = typed(
            batch,
            name,
            &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        )?;
        let dictionary: &DictionaryArray<Int32Type> = column.as_dictionary();
        let values = dictionary.values().as_string::<i32>();
        let numbers: Vec<u32> = (0..values.len())
            .map(|at| match values.is_valid(at) {
                true => self.number(values.value(at)),
                false => NO_TEXT,
            })
            .collect();
        Ok(dictionary
            .keys()
            .iter()
            .map(|key| key.map_or(NO_TEXT, |key| numbers[key as usize]))
            .collect())
    }
}

/// A column of numbers.
pub(super) fn numbers(batch: &RecordBatch, name: &str) -> Result<Float64Array> {
    Ok(typed(batch, name, &DataType::Float64)?
        .as_primitive::<Float64Type>()
        .clone())
}

/// A column of whole numbers; times are milliseconds.
pub(super) fn wholes(batch: &RecordBatch, name: &str) -> Result<Int64Array> {
    Ok(typed(batch, name, &DataType::Int64)?
        .as_primitive::<Int64Type>()
        .clone())
}

/// A value of a column, or none.
pub(super) fn at(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
}

fn typed(batch: &RecordBatch, name: &str, wanted: &DataType) -> Result<ArrayRef> {
    let lacks = |why: String| {
        Error::usage(
            "fleet summary",
            format!("column {name}: {why}; export the records anew"),
        )
    };
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| lacks("not there".to_owned()))?;
    if column.data_type() == wanted {
        return Ok(column.clone());
    }
    cast(column, wanted).map_err(|e| lacks(e.to_string()))
}
