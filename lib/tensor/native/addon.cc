// Kernels that compute TensorFlow's products and factorizations with OpenBLAS. To JavaScript this addon is four functions:
// - takeOver(): from then on TensorFlow takes these kernels for all float and double tensors, also where there is a GPU;
// - calls(): how often they were called;
// - description(): OpenBLAS's version, the processor it computes for, and the threads;
// - definiteBlocks(table, size, subsets, n, shifts): see Blocks.
#include <node_api.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "definite.h"
#include "factorizations.h"
#include "layers.h"
#include "product.h"

namespace {

template <typename T>
void registerAll() {
  registerKernel<BatchMatMul, T>("BatchMatMulV2");
  registerKernel<Cholesky, T>("Cholesky");
  registerKernel<SelfAdjointEig, T>("SelfAdjointEigV2");
  registerKernel<Svd, T>("Svd");
  registerKernel<TriangularSolve, T>("MatrixTriangularSolve");
  registerKernel<Linear, T>("AttentionCapacity>Linear");
  registerKernel<LayerNorm, T>("AttentionCapacity>LayerNorm");
  registerKernel<Gelu, T>("AttentionCapacity>Gelu");
  registerKernel<Attention, T>("AttentionCapacity>Attention");
}

napi_value countCalls(napi_env env, napi_callback_info) {
  napi_value count;
  napi_create_int64(env, calls, &count);
  return count;
}

napi_value describe(napi_env env, napi_callback_info) {
  std::string version = scipy_openblas_get_config();  // "OpenBLAS 0.3.34 DYNAMIC_ARCH ..."
  version = version.substr(0, version.find(' ', version.find(' ') + 1));
  const std::string text = version + " for " + scipy_openblas_get_corename() + ", " + std::to_string(threadCount()) +
                           (threadCount() == 1 ? " thread" : " threads");
  napi_value description;
  napi_create_string_utf8(env, text.data(), text.size(), &description);
  return description;
}

void offer(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

void registerEverything() {
  registerOp("AttentionCapacity>Linear", {"x", "weight", "bias"}, "y");
  registerOp("AttentionCapacity>LayerNorm", {"x", "eps", "weight", "bias"}, "y");
  registerOp("AttentionCapacity>Gelu", {"x"}, "y");
  registerOp("AttentionCapacity>Attention", {"query", "key", "value", "scale", "mask"}, "heads");
  registerOp("AttentionCapacity>Definite", {"x", "shift"}, "definite");
  registerAll<float>();
  registerAll<double>();
  registerKernel<Definite, double>("AttentionCapacity>Definite");
}

napi_value takeOver(napi_env env, napi_callback_info) {
  // Node loads an addon once for each of its threads; a second kernel for the same op would be an error.
  static std::once_flag once;
  try {
    std::call_once(once, registerEverything);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

// The elements of a typed array of that kind; throws what JavaScript's caller sees.
template <typename T>
std::pair<const T*, int64_t> elements(napi_env env, napi_value array, napi_typedarray_type kind) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr) != napi_ok || type != kind) {
    throw std::invalid_argument("expected a typed array of another kind");
  }
  return {static_cast<const T*>(data), static_cast<int64_t>(length)};
}

int64_t wholeNumber(napi_env env, napi_value value) {
  int64_t number = -1;
  if (napi_get_value_int64(env, value, &number) != napi_ok || number < 0) {
    throw std::invalid_argument("expected a whole number");
  }
  return number;
}

// (Float64Array [size, size], size, Int32Array [count, n], n, Float64Array [count]) -> Uint8Array [count]
napi_value definiteBlocks(napi_env env, napi_callback_info info) {
  napi_value given[5], answers = nullptr;
  size_t length = 5;
  napi_get_cb_info(env, info, &length, given, nullptr, nullptr);
  try {
    const auto [table, tableLength] = elements<double>(env, given[0], napi_float64_array);
    const int64_t size = wholeNumber(env, given[1]), n = wholeNumber(env, given[3]);
    const auto [subsets, subsetsLength] = elements<int32_t>(env, given[2], napi_int32_array);
    const auto [shifts, count] = elements<double>(env, given[4], napi_float64_array);
    const auto outside = [size = size](int32_t row) { return row < 0 || row >= size; };
    if (tableLength != size * size || subsetsLength != count * n) throw std::invalid_argument("the lengths do not fit");
    if (std::any_of(subsets, subsets + subsetsLength, outside)) throw std::invalid_argument("there is no such row");
    void* told = nullptr;
    napi_value buffer;
    napi_create_arraybuffer(env, count, &told, &buffer);
    napi_create_typedarray(env, napi_uint8_array, count, buffer, 0, &answers);
    const Blocks blocks{table, size, subsets, n};
    tellDefinite(
        count, n, 0, [&](int64_t index, double* block, int64_t stride) { blocks.copyUpper(index, block, stride); },
        [shifts = shifts](int64_t index) { return shifts[index]; },
        [told](int64_t index, bool definite) { static_cast<uint8_t*>(told)[index] = definite; });
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return answers;
}

napi_value load(napi_env env, napi_value exports) {
  scipy_openblas_set_num_threads(1);  // the threads are ours, see threads.h
  offer(env, exports, "takeOver", takeOver);
  offer(env, exports, "calls", countCalls);
  offer(env, exports, "description", describe);
  offer(env, exports, "definiteBlocks", definiteBlocks);
  return exports;
}

}  // namespace

NAPI_MODULE(kernels, load)
