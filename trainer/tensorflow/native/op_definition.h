// What TensorFlow's op registry says of an op: how its inputs are grouped, and the kind of each attribute.
#ifndef SIMSIAM_OP_DEFINITION_H_
#define SIMSIAM_OP_DEFINITION_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"

namespace simsiam {

struct OpInput {
  std::string typeAttribute;      // "T" in Add(x: T, y: T)
  std::string numberAttribute;    // "N" in ConcatV2(values: N*T)
  std::string typeListAttribute;  // "Tin" in a list of mixed types
  bool list() const { return !numberAttribute.empty() || !typeListAttribute.empty(); }
};

struct OpDefinition {
  std::vector<OpInput> inputs;
  std::map<std::string, std::string> attributes;  // name -> kind: "int", "type", "list(int)"
  std::set<std::string> inferred;                 // attributes that follow from the inputs
};

// Looked up once an op and kept. Throws Failure TF_NOT_FOUND for an op that TensorFlow doesn't know.
const OpDefinition& opDefinition(TF_Graph* graph, const std::string& op);

}  // namespace simsiam

#endif  // SIMSIAM_OP_DEFINITION_H_
