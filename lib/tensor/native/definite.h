#pragma once

#include <cmath>
#include <vector>

#include "blas.h"
#include "kernel.h"
#include "tasks.h"

// Whether symmetric matrices are positive definite, told by a Cholesky factorization of which nothing else is kept: each
// core makes its matrices in one piece of memory of its own, where a stack of them would go through memory several times.

// For matrices [n, n] whose upper triangle `fill(index, matrix, stride)` writes, in rows that lie `stride` apart: whether
// each, minus shiftOf(index) times the identity, has a Cholesky factor. `operations` is what it takes to make one of them.
template <typename Fill, typename ShiftOf, typename Tell>
void tellDefinite(int64_t count, int64_t n, double operations, const Fill& fill, const ShiftOf& shiftOf,
                  const Tell& tell) {
  // Rows that lie a large power of two apart push each other out of the caches.
  const int64_t stride = n + (n % 64 == 0 ? 8 : 0);
  inTasks(count, operations + n * n * n / 3.0, [&](int64_t index) {
    thread_local std::vector<double> matrix;
    if (matrix.size() < static_cast<size_t>(n * stride)) matrix.resize(n * stride);
    fill(index, matrix.data(), stride);
    for (int64_t i = 0; i < n; i++) matrix[i * (stride + 1)] -= shiftOf(index);
    blasint info = 0;
    // To LAPACK the upper triangle, by rows, is a lower one, by columns: the faster of its two.
    if (n > 0) potrf("L", n, matrix.data(), stride, &info);
    bool definite = info == 0;
    // NaN passes OpenBLAS's comparisons.
    for (int64_t i = 0; i < n && definite; i++) definite = std::isfinite(matrix[i * (stride + 1)]);
    tell(index, definite);
  });
}

// x [B, n, w], shift [] -> [B]: 1 where x x^T - shift I has a Cholesky factor, else 0.
template <typename T>
struct Definite {
  static constexpr std::array<const char*, 0> flags{};
  std::array<bool, 0> none;

  void operator()(Call& call) const {
    Tensor<T> x = call.input<T>(0), shift = call.input<T>(1);
    const Stack stack(x.shape());
    const int64_t n = stack.rows, w = stack.columns;
    Tensor<T> answers = call.output<T>(0, stack.shape);
    tellDefinite(
        stack.count, n, 1.0 * n * n * w,
        [&](int64_t index, double* gram, int64_t stride) {
          syrk(CblasUpper, CblasNoTrans, n, w, x.data() + index * stack.size(), w, gram, stride);
        },
        [&](int64_t) { return *shift.data(); },
        [&](int64_t index, bool definite) { answers.data()[index] = definite ? 1 : 0; });
  }
};

// Blocks of one symmetric table [size, size]: the rows and columns `subsets[index * n ...]`, n of them.
struct Blocks {
  const double* table;
  int64_t size;
  const int32_t* subsets;
  int64_t n;

  void copyUpper(int64_t index, double* block, int64_t stride) const {
    const int32_t* subset = subsets + index * n;
    for (int64_t i = 0; i < n; i++) {
      const double* row = table + subset[i] * size;
      // Elements lie far apart and are wanted once: the caches cannot foresee the next row's.
      const double* next = i + 2 < n ? table + subset[i + 2] * size : row;
      for (int64_t j = i; j < n; j++) {
        __builtin_prefetch(next + subset[j]);
        block[i * stride + j] = row[subset[j]];
      }
    }
  }
};
