// Ending the process while TensorFlow works.
#ifndef SIMSIAM_PROCESS_EXIT_H_
#define SIMSIAM_PROCESS_EXIT_H_

namespace simsiam {

// From now on the process ends with its exit code but without the destructors of C++ statics: they would pull
// TensorFlow's globals away under a thread that executes a function, or wait for a peer that is gone.
void leaveWithoutDestructors();

}  // namespace simsiam

#endif  // SIMSIAM_PROCESS_EXIT_H_
