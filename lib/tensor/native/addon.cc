// Kernels that compute TensorFlow's products and factorizations with OpenBLAS. Loading this addon registers them; from
// then on TensorFlow takes them for all float and double tensors on CPUs. To JavaScript it is two functions: calls(), how
// often they were called, and description(), OpenBLAS's version, the processor it computes for, and the threads.
#include <node_api.h>

#include <mutex>

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

napi_value load(napi_env env, napi_value exports) {
  offer(env, exports, "calls", countCalls);
  offer(env, exports, "description", describe);
  // Node loads an addon once for each of its threads; a second kernel for the same op would be an error.
  static std::once_flag once;
  try {
    std::call_once(once, [] {
      scipy_openblas_set_num_threads(1);  // the threads are ours, see threads.h
      registerOp("AttentionCapacity>Linear", {"x", "weight", "bias"}, "y");
      registerOp("AttentionCapacity>LayerNorm", {"x", "eps", "weight", "bias"}, "y");
      registerOp("AttentionCapacity>Gelu", {"x"}, "y");
      registerOp("AttentionCapacity>Attention", {"query", "key", "value", "scale", "mask"}, "heads");
      registerAll<float>();
      registerAll<double>();
    });
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return exports;
}

}  // namespace

NAPI_MODULE(kernels, load)
