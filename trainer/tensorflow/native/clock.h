// An op that tells the time inside a function.
#pragma once

namespace simsiam {

// Registers the op `SimsiamClock`: () -> float64 [], seconds of a monotonic clock at the moment when it runs. Control edges
// say when that is. TensorFlow's own `Timestamp` refuses to run where determinism is asked for. Once a process.
void registerClock();

}  // namespace simsiam
