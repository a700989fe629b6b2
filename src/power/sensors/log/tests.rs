//! Logs as tools write them; the forms are those of the tools' own files.

use super::*;

fn choice() -> LogChoice {
    LogChoice {
        boundary: None,
        column: None,
        device: None,
        address: None,
        zone: Some("UTC".to_owned()),
        date_order: None,
    }
}

fn read(text: &str, choice: &LogChoice) -> std::result::Result<Vec<(f64, f64)>, String> {
    parse(text, choice).map(|log| {
        log.rows
            .iter()
            .map(|(at, watts)| (*at, watts.get()))
            .collect()
    })
}

#[track_caller]
fn is_50_then_60_5(text: &str, choice: &LogChoice) {
    let rows = read(text, choice).unwrap_or_else(|why| panic!("{text}: {why}"));
    let expected = [(1_800_000_000.0, 50.0), (1_800_000_001.5, 60.5)];
    let near = rows.len() == 2
        && rows
            .iter()
            .zip(expected)
            .all(|(a, b)| (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-9);
    assert!(near, "{text}: {rows:?}");
}

#[test]
fn logs_of_many_meters_are_read() {
    for text in [
        "1800000000,50\n1800000001.5,60.5\n",
        "time,power_w\n1800000000,50\n1800000001.5,60.5\n",
        "\u{feff}Date;Channel;Power (W)\n2027-01-15T08:00:00Z;1;50,0\n2027-01-15T08:00:01.5Z;1;60,5\n",
        "# meter\nwatts\ttimestamp_ms\n50\t1800000000000\n60.5\t1800000001500\n",
        "time,note,watts\n1800000000,\"fan, low\",50\n1800000001.5,\"fan; high\",60.5\n",
        "\"timestamp\",\"watts\"\n\"2027-01-15 09:00:00+01:00\",\"50\"\n\"2027-01-15 09:00:01.5+01:00\",\"60.5\"\n",
        // nvidia-smi --query-gpu=timestamp,power.draw --format=csv
        "timestamp, power.draw [W]\n2027/01/15 08:00:00.000, 50.00 W\n2027/01/15 08:00:01.500, 60.50 W\n",
        "timestamp, power.limit [W], power.draw [W]\n2027/01/15 08:00:00.000, 450.00 W, 50.00 W\n2027/01/15 08:00:01.500, 450.00 W, 60.50 W\n",
        // HWiNFO
        "Date,Time,\"PL1 Power Limit [W]\",\"GPU Power [W]\",\"GPU Temperature [°C]\",\n15.1.2027,8:00:00.000,125,50,40,\n15.1.2027,8:00:01.500,125,60.5,41,\n",
        // Home Assistant's export of a history
        "entity_id,state,last_changed\nsensor.plug_power,50,2027-01-15T08:00:00.000Z\nsensor.plug_power,60.5,2027-01-15T08:00:01.500Z\n",
        "entity_id,state,last_changed\nsensor.plug_voltage,230,2027-01-15T08:00:00.000Z\nsensor.plug_power,50,2027-01-15T08:00:00.000Z\nsensor.plug_voltage,231,2027-01-15T08:00:01.000Z\nsensor.plug_power,60.5,2027-01-15T08:00:01.500Z\n",
        // Zeus' monitor
        "Time,Power\n2027-01-15 08:00:00.000000000,50000\n2027-01-15 08:00:01.500000000,60500\n",
        "time,power_MW\n1800000000,0.00005\n1800000001.5,0.0000605\n",
        // Home Assistant: the unit from the entity's name, or from its attribute
        "entity_id,state,last_changed\nsensor.house_power_kw,0.05,2027-01-15T08:00:00Z\nsensor.house_power_kw,0.0605,2027-01-15T08:00:01.5Z\n",
        "entity_id,state,last_changed,unit_of_measurement\nsensor.rig,50000,2027-01-15T08:00:00Z,mW\nsensor.rig,60500,2027-01-15T08:00:01.5Z,mW\n",
        "time,power_kw\n1800000000,0.05\n1800000001.5,0.0605\n",
        "Time,Apparent (VA),Energy (Wh),Power (mW)\n1800000000,70,1,50000\n1800000001.5,80,1,60500\n",
    ] {
        is_50_then_60_5(text, &choice());
    }
}

#[test]
fn of_several_cards_one_must_be_known() {
    let text = "timestamp, index, power.draw [W]\n1800000000, 0, 50\n1800000000, 1, 150\n1800000001.5, 0, 60.5\n1800000001.5, 1, 160.5\n";
    let why = read(text, &choice()).unwrap_err();
    assert!(
        why.contains("several devices") && why.contains("--log-device"),
        "{why}"
    );
    let of = |device: &str| LogChoice {
        device: Some(device.to_owned()),
        ..choice()
    };
    is_50_then_60_5(text, &of("0"));
    assert_eq!(
        read(text, &of("1")).unwrap()[1].1.to_bits(),
        160.5_f64.to_bits()
    );
    assert!(read(text, &of("7")).is_err());
}

#[test]
fn a_card_is_known_by_its_pci_address() {
    let text = "timestamp, index, pci.bus_id, power.draw [W]\n1800000000, 0, 00000000:01:00.0, 31\n1800000000, 1, 00000000:41:00.0, 50\n1800000001.5, 0, 00000000:01:00.0, 31\n1800000001.5, 1, 00000000:41:00.0, 60.5\n";
    let at = |address: &str| LogChoice {
        address: Some(address.to_owned()),
        ..choice()
    };
    is_50_then_60_5(text, &at("0000:41:00.0"));
    // Of one device too, an address that is another's is no match.
    let one = "timestamp, pci.bus_id, power.draw [W]\n1800000000, 00000000:01:00.0, 31\n1800000001.5, 00000000:01:00.0, 31\n";
    for text in [text, one] {
        let why = read(text, &at("0000:03:00.0")).unwrap_err();
        assert!(
            why.contains("0000:03:00.0") && why.contains("--log-device"),
            "{why}"
        );
    }
}

#[test]
fn a_name_says_whose_power_it_is() {
    let of = |name: &str, boundary| {
        let text = format!("time,{name}\n1800000000,50\n1800000001.5,60.5\n");
        let choice = LogChoice {
            boundary,
            ..choice()
        };
        parse(&text, &choice).map(|log| log.boundary)
    };
    for (name, boundary) in [
        ("power.draw [W]", Boundary::Board),
        ("GPU Power (Total) [W]", Boundary::Board),
        ("CPU-Gesamt-Leistungsaufnahme [W]", Boundary::CpuPackage),
        ("PkgWatt", Boundary::CpuPackage),
        ("plug_power_w", Boundary::Wall),
        ("power_w", Boundary::Wall),
    ] {
        assert_eq!(of(name, None), Ok(boundary), "{name}");
    }
    assert_eq!(
        of("GPU Power [W]", Some(Boundary::Module)),
        Ok(Boundary::Module)
    );
    let why = of("GPU Power [W]", Some(Boundary::Wall)).unwrap_err();
    assert!(why.contains("board") && why.contains("--boundary"), "{why}");
    // The wall's meter before the card's, and the card before the processor.
    for (names, taken) in [
        ("CPU Package Power [W],GPU Power [W]", "GPU Power [W]"),
        ("GPU Power [W],Plug [W]", "Plug [W]"),
    ] {
        let text = format!("time,{names}\n1800000000,50,50\n1800000001.5,60,60\n");
        let notes = parse(&text, &choice()).unwrap().notes.join(" ");
        assert!(notes.contains(&format!("`{taken}` was taken")), "{notes}");
    }
    let supplies =
        "time,psu1_input_power_w,psu2_input_power_w\n1800000000,50,50\n1800000001.5,60,60\n";
    assert!(
        read(supplies, &choice())
            .unwrap_err()
            .contains("add their columns up")
    );
}

#[test]
fn a_history_of_years_with_quick_changes_makes_a_bounded_number_of_rows() {
    let mut text = "entity_id,state,last_changed\n".to_owned();
    for (at, watts) in [
        "2027-01-15T08:00:00.000Z",
        "2027-01-15T08:00:00.001Z",
        "2027-01-15T08:00:00.002Z",
        "2029-01-15T08:00:00.000Z",
        "2029-01-15T08:00:00.001Z",
        "2031-01-15T08:00:00.000Z",
        "2031-01-15T08:00:00.001Z",
    ]
    .into_iter()
    .zip(50..)
    {
        text += &format!("sensor.plug_power,{watts},{at}\n");
    }
    let rows = parse(&text, &choice()).unwrap().rows.len();
    assert!(rows < 1_000_010, "{rows}");
}

#[test]
fn a_chosen_column_is_a_power_all_the_same() {
    let text = "time,voltage,S1_VA,power_w\n1800000000,231,60,50\n1800000001.5,231,70,60.5\n";
    let of = |column: &str| LogChoice {
        column: Some(column.to_owned()),
        ..choice()
    };
    is_50_then_60_5(text, &of("power_w"));
    for column in ["voltage", "S1_VA"] {
        let why = read(text, &of(column)).unwrap_err();
        assert!(why.contains("no power"), "{column}: {why}");
    }
}

#[test]
fn a_row_where_the_value_changed_holds_until_the_next() {
    let text = "entity_id,state,last_changed\nsensor.plug_power,50,2027-01-15T08:00:00Z\nsensor.plug_power,60,2027-01-15T08:00:01Z\nsensor.plug_power,250,2027-01-15T08:00:02Z\nsensor.plug_power,55,2027-01-15T08:00:12Z\n";
    let log = parse(text, &choice()).unwrap();
    let watts: Vec<f64> = log.rows.iter().map(|(_, watts)| watts.get()).collect();
    let expected = [&[50.0, 60.0][..], &[250.0; 10], &[55.0]].concat();
    assert_eq!(watts, expected);
    assert!(
        log.rows.windows(2).all(|pair| pair[1].0 > pair[0].0),
        "{log:?}"
    );
    // The smallest change that made a row.
    assert_eq!(log.resolution, Watts(10.0));
    assert!(
        log.notes.iter().any(|note| note.contains("held")),
        "{log:?}"
    );
}

#[test]
fn a_few_rows_without_a_value_are_left_out_and_many_are_not() {
    let row = |at: usize, cell: &str| format!("{}, {cell}\n", 1_800_000_000 + at);
    let log = |lost: usize| {
        let mut text = "timestamp, power.draw [W]\n".to_owned();
        for at in 0..40 {
            text += &row(at, if at % 40 < lost { "[N/A]" } else { "60.5" });
        }
        parse(&text, &choice())
    };
    let few = log(3).unwrap();
    assert_eq!(few.rows.len(), 37);
    assert!(
        few.notes.iter().any(|note| note.contains("3 of 40")),
        "{:?}",
        few.notes
    );
    let many = log(10).unwrap_err();
    assert!(
        many.contains("[N/A]") && many.contains("10 of 40 rows") && many.contains("at most 10 %"),
        "{many}"
    );
}

#[test]
fn a_row_that_is_none_is_named() {
    for (text, word) in [
        ("", "no row"),
        ("1800000000,50\n", "two rows"),
        ("1800000000,50\n1800000000,51\n", "line 2"),
        ("1800000000,50\n1800000001,many\n", "line 2: `many`"),
        ("1800000000,50\n1800000001,\n", "line 2"),
        ("1800000000,50\n1800000001,-4\n", "line 2"),
        ("1800000000,50\n1800000001,NaN\n", "line 2"),
        ("1800000000,50 VA\n1800000001,50 VA\n", "50 VA"),
        (
            "01/02/2027 09:00:00,50\n01/02/2027 09:00:01,50\n",
            "--date-order",
        ),
        ("12,50\n13,50\n", "since 1970"),
        ("a,b\n1,2\n", "no column of times"),
        (
            "time,power_limit_w,va\n1800000000,50,60\n1800000001,50,60\n",
            "no column of watts",
        ),
        (
            "time,power\n1800000000,50000\n1800000001,50000\n",
            "states no unit",
        ),
        ("50\n60\n", "one column"),
        ("{\"power_w\": [1, 2], \"time\": [3, 4]}", "JSON"),
        ("<?xml version=\"1.0\"?>\n<plist>", "XML"),
        ("1800000000,60,50\n1800000001,60,50\n", "3 columns"),
        (
            "time,power_dbm\n1800000000,50\n1800000001,50\n",
            "no column of watts",
        ),
        (
            "time,power_mw\n1800000000,0.00005\n1800000001,0.00005\n",
            "MW is megawatts",
        ),
        (
            "time,power_MW\n1800000000,50\n1800000001,50\n",
            "device draws",
        ),
        (
            "entity_id,state,last_changed\nsensor.plug_energy,11,2027-01-15T08:00:00Z\nsensor.plug_energy,11,2027-01-15T08:00:01Z\n",
            "sensor.plug_energy",
        ),
        (
            "entity_id,state,last_changed\nsensor.plug_current,1,2027-01-15T08:00:00Z\nsensor.plug_current,1,2027-01-15T08:00:01Z\n",
            "says no power",
        ),
        (
            "entity_id,state,last_changed\nsensor.plug_power_factor,1,2027-01-15T08:00:00Z\nsensor.plug_power_factor,1,2027-01-15T08:00:01Z\n",
            "says no power",
        ),
        (
            "entity_id,state,last_changed,unit\nsensor.rig,230,2027-01-15T08:00:00Z,V\nsensor.rig,230,2027-01-15T08:00:01Z,V\n",
            "no unit of power",
        ),
    ] {
        let message = read(text, &choice()).unwrap_err();
        assert!(message.contains(word), "{text}: {message}");
    }
}

#[test]
fn unnamed_volts_are_not_watts() {
    let log = |watts: f64| -> String {
        let row = |at: u32| format!("{},{}\n", 1_800_000_000 + at, watts + f64::from(at % 5));
        (0..40).map(row).collect()
    };
    let message = read(&log(228.0), &choice()).unwrap_err();
    assert!(message.contains("volts"), "{message}");
    let notes = parse(&log(50.0), &choice()).unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("second")),
        "{notes:?}"
    );
}

/// A log of so many rows, of a power that wanders, with a time and a line of each.
fn wandering(rows: u32, line: impl Fn(u32, f64) -> String) -> String {
    let watts = |n: u32| 200.0 + f64::from(n * n % 17);
    (0..rows).map(|n| line(n, watts(n)) + "\n").collect()
}

/// Whether the rows' times rise by a step from a time on.
#[track_caller]
fn rises(text: &str, from: f64, step: f64) {
    let rows = read(text, &choice()).unwrap_or_else(|why| panic!("{text}: {why}"));
    for (n, (at, watts)) in rows.iter().enumerate() {
        assert!(
            (at - from - step * n as f64).abs() < 1e-6,
            "{text}: {n}: {at}"
        );
        let n = n as u32;
        assert!(
            (watts - 200.0 - f64::from(n * n % 17)).abs() < 1e-9,
            "{text}: {watts}"
        );
    }
}

#[test]
fn rows_are_read_in_whatever_order_and_number_they_stand() {
    let start = 1_800_000_000;
    let forwards = wandering(40, |n, w| format!("{}.25,{w}", start + n));
    let mut lines: Vec<&str> = forwards.lines().collect();
    lines.reverse();
    rises(
        &format!("time,watts\n{}\n", lines.join("\n")),
        1_800_000_000.25,
        1.0,
    );
    let twice = wandering(40, |n, w| format!("{0}.25,{w}\n{0}.25,{w}", start + n));
    rises(&format!("time,watts\n{twice}"), 1_800_000_000.25, 1.0);
    // Two rows a second, whose times are cut to whole ones, are half a second apart.
    let whole = wandering(40, |n, w| format!("{},{w}", start + n / 2));
    rises(&format!("time,watts\n{whole}"), 1_800_000_000.5, 0.5);
    // A row out of its order stands for nothing, and times go on rising.
    let jumbled = whole.replacen("1800000004,", "1800000003,", 1);
    let log = parse(&format!("time,watts\n{jumbled}"), &choice()).unwrap();
    assert!(
        log.rows.windows(2).all(|pair| pair[1].0 > pair[0].0),
        "{log:?}"
    );
    let notes = parse(&format!("time,watts\n{whole}"), &choice())
        .unwrap()
        .notes;
    assert!(
        notes.iter().any(|note| note.contains("whole seconds")),
        "{notes:?}"
    );
}

#[test]
fn cards_that_no_column_tells_apart_are_refused() {
    let start = 1_800_000_000;
    for text in [
        wandering(40, |n, w| {
            format!("{}.25, {w} W\n{}.25, {} W", start + n, start + n, w + 90.0)
        }),
        wandering(40, |n, w| {
            format!("{0}.250, {w} W\n{0}.253, {1} W", start + n, w + 90.0)
        }),
        wandering(40, |n, w| {
            format!(
                "{0}, {w} W\n{0}, {1} W\n{0}, {2} W",
                start + n,
                w + 40.0,
                w + 90.0
            )
        }),
    ] {
        let why = read(&format!("timestamp, power.draw [W]\n{text}"), &choice()).unwrap_err();
        assert!(
            why.contains("devices") && why.contains("--log-device"),
            "{why}"
        );
    }
    let two = "Date,Time,GPU Power [W],GPU Power [W]\n15.1.2027,8:00:00.000,50,60\n15.1.2027,8:00:01.500,50,60\n";
    for column in [None, Some("GPU Power [W]".to_owned())] {
        let choice = LogChoice { column, ..choice() };
        let why = read(two, &choice).unwrap_err();
        assert!(
            why.contains("several columns") && why.contains("--column"),
            "{why}"
        );
    }
}

#[test]
fn dates_and_numbers_of_other_countries_are_read() {
    for text in [
        "Time,Power (W)\n01/15/2027 08:00:00 AM,50\n01/15/2027 08:00:01.5 AM,60.5\n",
        "Date,Time,Power (W)\n1/15/2027,8:00:00.000 AM,50\n1/15/2027,8:00:01.500 AM,60.5\n",
        "Time;Power (W)\n15/01/2027 08:00:00,000;50,0\n15/01/2027 08:00:01,500;60,5\n",
        "time;power_w\n1800000000,0;50,0\n1800000001,5;60,5\n",
        "time\tpower_mw\n1800000000,0\t50.000,0\n1800000001,5\t60.500,0\n",
        "time,power_mw\n1800000000,\"50,000.0\"\n1800000001.5,\"60,500.0\"\n",
        // HWiNFO writes its names again at the end.
        "Date,Time,\"GPU Power [W]\"\n15.1.2027,8:00:00.000,50\n15.1.2027,8:00:01.500,60.5\nDate,Time,\"GPU Power [W]\"\n",
    ] {
        is_50_then_60_5(text, &choice());
    }
    let either = "time,watts\n01/02/2027 09:00:00,50\n01/02/2027 09:00:01.5,60.5\n";
    let why = read(either, &choice()).unwrap_err();
    for part in ["1 February 2027", "2 January 2027", "--date-order"] {
        assert!(why.contains(part), "{why}");
    }
    let at = |date_order| {
        let choice = LogChoice {
            date_order: Some(date_order),
            ..choice()
        };
        read(either, &choice).unwrap()[0].0
    };
    let (february, january) = (at(DateOrder::DayFirst), at(DateOrder::MonthFirst));
    assert!(
        (february - january - 30.0 * 86_400.0).abs() < 1e-6,
        "{february} {january}"
    );
    let why = read(
        "time,power_w\n1800000000,\"1,234\"\n1800000001,\"1,234\"\n",
        &choice(),
    )
    .unwrap_err();
    assert!(why.contains("1,234"), "{why}");
}
