//! Files of benchmark tools, each in its tool's own form.

/// Files of tools in the tools' own form, made for these tests: the format, the file's name, its text, and what
/// `show` says of a case.
pub(crate) const FORMS: [(&str, &str, &str, &str, &str); 13] = [
    (
        "llama-bench",
        "l.json",
        r#"[{"build_commit": "c0ffee", "cpu_info": "A CPU", "gpu_info": "Card L", "backends": "Vulkan",
            "model_filename": "m/x.gguf", "model_type": "tiny 1B Q4", "n_batch": 2048, "n_threads": 8,
            "n_gpu_layers": 99, "n_prompt": 512, "n_gen": 0, "n_depth": 0, "avg_ns": 256000000,
            "avg_ts": 2000.0, "samples_ns": [256000000, 256000000], "samples_ts": [2000.0, 2000.0]},
            {"gpu_info": "Card L", "model_type": "tiny 1B Q4", "n_prompt": 0, "n_gen": 128, "n_depth": 4096,
            "n_batch": 2048, "n_threads": 8, "n_gpu_layers": 99, "avg_ts": 80.0}]"#,
        "tiny 1B Q4 tg128 @ d4096",
        "80.0 tok/s",
    ),
    (
        "llama-bench",
        "l.jsonl",
        "{\"model_type\": \"t\", \"n_prompt\": 64, \"n_gen\": 0, \"n_threads\": 1, \"samples_ns\": [64000000]}\n\
         {\"model_type\": \"t\", \"n_prompt\": 64, \"n_gen\": 0, \"n_threads\": 2, \"samples_ns\": [32000000]}\n",
        "t pp64 n_threads=2",
        "2.00 ktok/s",
    ),
    (
        "clpeak",
        "c.xml",
        r#"<?xml version="1.0" encoding="utf-8"?>
<clpeak format_version="2" clpeak_version="2.0" os="Linux x64">
  <run backend="Vulkan" platform="Vulkan" device="Card &amp; Co" driver="1">
    <category name="fp_compute"><test name="single_precision_compute" display="x" unit="gflops">
      <metric name="float">1500.5</metric><metric name="float2" status="unsupported" reason="no"/>
    </test></category>
    <category name="latency"><test name="kernel_launch_latency" unit="us"><metric name="l">4.5</metric></test>
    </category></run></clpeak>"#,
        "kernel_launch_latency l",
        "4.50 µs",
    ),
    (
        "clpeak",
        "old.xml",
        r#"<?xml version="1.0" encoding="ISO-8859-1"?><clpeak os="Linux x64"><platform name="P">
        <device name="D" driver_version="1"><global_memory_bandwidth unit="gbps"><float>9.5</float>
        <float2>10.5</float2></global_memory_bandwidth><kernel_launch_latency unit="us">7.5</kernel_launch_latency>
        </device></platform></clpeak>"#,
        "global_memory_bandwidth float2",
        "10.5 GB/s",
    ),
    (
        "clpeak",
        "c.json",
        r#"{"format_version":2,"clpeak_version":"2.0","os":"Linux","entries":[
        {"backend":"CUDA","platform":"CUDA","device":"D","driver":"1","category":"bandwidth",
        "test":"global_memory_bandwidth","metric":"float","unit":"gbps","value":432.1000},
        {"backend":"CUDA","platform":"CUDA","device":"D","driver":"1","category":"fp_compute","test":"half",
        "metric":"half","unit":"gflops","status":"skipped","reason":"asked"}]}"#,
        "global_memory_bandwidth float",
        "432 GB/s",
    ),
    (
        "vkpeak",
        "v.txt",
        "device       = Card V\n\nfp32-scalar  = 9362.42 GFLOPS\nint8-dotprod = 12.5 GIOPS\n\
         bf16-matrix  = 0.00 GFLOPS\ncopy-d2d     = 28.10 GBPS\n",
        "copy-d2d",
        "28.1 GB/s",
    ),
    (
        "babelstream",
        "b.csv",
        "phase,n_elements,sizeof,max_mbytes_per_sec,runtime\nInit,1024,8,1,0.1\n\
         function,num_times,n_elements,sizeof,max_mbytes_per_sec,min_runtime,max_runtime,avg_runtime\n\
         Copy,100,1048576,8,16777.2,0.001,0.003,0.002\nTriad,100,1048576,8,8388.6,0.003,0.005,0.004\n",
        "Triad f64 n=1048576",
        "4.00 ms",
    ),
    (
        "pytest-benchmark",
        "p.json",
        r#"{"machine_info": {"node": "n", "python_version": "3.12"}, "benchmarks": [
        {"name": "test_a", "fullname": "t.py::test_a", "stats": {"median": 0.002, "data": [0.001, 0.002, 0.004]}},
        {"name": "test_b", "fullname": "t.py::test_b", "stats": {"median": 0.5}}], "version": "5"}"#,
        "t.py::test_a",
        "2.00 ms",
    ),
    (
        "go",
        "g.txt",
        "goos: linux\ngoarch: amd64\npkg: x\ncpu: A CPU\nBenchmarkSort-8   100   2500 ns/op   64 B/op   2 allocs/op   5 widgets/op\n\
         BenchmarkSort-8   100   2700 ns/op   64 B/op   2 allocs/op   5 widgets/op\nBenchmarkLog-8 some log\nPASS\nok x 1s\n",
        "x.BenchmarkSort-8",
        "2.60 µs",
    ),
    (
        "bmf",
        "m.json",
        r#"{"a::b": {"latency": {"value": 3247.0, "lower_value": 1.0, "upper_value": 9.0}, "heap": {"value": 3}},
        "c": [{"parameters": {"size": 16}, "measures": {"throughput": {"value": 5000.0}}}]}"#,
        "c size=16",
        "5.00 k/s",
    ),
    (
        "csv",
        "t.csv",
        "kernel,size,GFLOPS,run\nmm,256,120.5,1\nmm,256,119.5,2\nmm,256,not,3\n",
        "mm 256",
        "120 GFLOP/s",
    ),
    (
        "json",
        "t.json",
        r#"{"when": "now", "rows": [{"name": "a", "stats": {"ms": [1.5, 2.5, 2.0]}}]}"#,
        "a",
        "2.00 ms",
    ),
    (
        "csv",
        "plain.csv",
        "name,time_us\nx,12.5\ny,0\n",
        "x",
        "12.5 µs",
    ),
];
