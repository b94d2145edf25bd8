import Glibc

/// What libFuzzer, whose main this program has, calls for every input that it makes up (LLVM, "Fuzz Target"). The environment
/// says which parser is fed: `FUZZ_TARGET=manifest fuzz -runs=100000`. A broken promise ends the program, and libFuzzer keeps the
/// input that broke it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private let chosen: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTargets.all[name] else {
        print("FUZZ_TARGET must be one of: \(FuzzTargets.all.keys.sorted().joined(separator: " "))")
        exit(2)
    }
    return target
}()
