// exp and erf of many numbers: by glibc's vector functions (libmvec, at most 4 units in the last place off) where the
// processor has AVX2, else one by one. Every number goes the same way wherever it stands.
#pragma once

#include <features.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

typedef double Double4 __attribute__((vector_size(32)));
typedef float Float8 __attribute__((vector_size(32)));

// The names are those of the x86-64 vector ABI: four doubles or eight floats in a register of AVX2.
extern "C" {
Double4 _ZGVdN4v_exp(Double4);
Float8 _ZGVdN8v_expf(Float8);
#if __GLIBC_PREREQ(2, 35)
Double4 _ZGVdN4v_erf(Double4);
Float8 _ZGVdN8v_erff(Float8);
#endif
}

template <typename T, typename Vector, Vector function(Vector)>
__attribute__((target("avx2"))) void inVectors(T* values, int64_t count) {
  constexpr int64_t lanes = sizeof(Vector) / sizeof(T);
  Vector vector;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    __builtin_memcpy(&vector, values + i, sizeof vector);
    vector = function(vector);
    __builtin_memcpy(values + i, &vector, sizeof vector);
  }
  if (i == count) return;
  vector = Vector{};
  __builtin_memcpy(&vector, values + i, (count - i) * sizeof(T));
  vector = function(vector);
  __builtin_memcpy(values + i, &vector, (count - i) * sizeof(T));
}

inline bool haveAvx2() {
  static const bool have = __builtin_cpu_supports("avx2");
  return have;
}

template <typename T>
void exponentials(T* values, int64_t count) {
  if (!haveAvx2()) {
    for (int64_t i = 0; i < count; i++) values[i] = std::exp(values[i]);
  } else if constexpr (sizeof(T) == 8) {
    inVectors<double, Double4, _ZGVdN4v_exp>(values, count);
  } else {
    inVectors<float, Float8, _ZGVdN8v_expf>(values, count);
  }
}

template <typename T>
void errorFunctions(T* values, int64_t count) {
#if __GLIBC_PREREQ(2, 35)
  if (haveAvx2()) {
    if constexpr (sizeof(T) == 8) {
      inVectors<double, Double4, _ZGVdN4v_erf>(values, count);
    } else {
      inVectors<float, Float8, _ZGVdN8v_erff>(values, count);
    }
    return;
  }
#endif
  for (int64_t i = 0; i < count; i++) values[i] = std::erf(values[i]);
}
