#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "blas.h"
#include "kernel.h"
#include "product.h"

// LAPACK keeps matrices by columns: what lies here by rows is to it the transpose, and a lower triangle an upper one.

template <typename T>
bool allFinite(const T* values, int64_t count) {
  return std::all_of(values, values + count, [](T value) { return std::isfinite(value); });
}

template <typename T>
std::unique_ptr<T[]> scratch(int64_t count) {
  return std::unique_ptr<T[]>(new T[std::max<int64_t>(1, count)]);
}

inline int squareSide(const Stack& stack) {
  if (stack.rows != stack.columns) throw std::invalid_argument("the matrices are not square");
  return stack.rows;
}

// [rows, columns] by columns -> by rows.
template <typename T>
void toRows(const T* byColumns, int64_t rows, int64_t columns, T* byRows) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) byRows[i * columns + j] = byColumns[j * rows + i];
  }
}

// The lower triangular factor of each matrix; NaN on and below the diagonal where there is none.
template <typename T>
struct Cholesky {
  static constexpr std::array<const char*, 0> flags{};
  std::array<bool, 0> none;

  void operator()(Call& call) const {
    Tensor<T> input = call.input<T>(0);
    const Stack stack(input.shape());
    const int64_t n = squareSide(stack), size = stack.size();
    Tensor<T> output = call.output<T>(0, input.shape());
    inTasks(stack.count, n * n * n / 3.0, [&](int64_t index) {
      const T* a = input.data() + index * size;
      T* l = output.data() + index * size;
      for (int64_t i = 0; i < n; i++) {
        std::copy(a + i * n, a + i * n + i + 1, l + i * n);
        std::fill(l + i * n + i + 1, l + (i + 1) * n, T(0));
      }
      blasint info = 0;
      if (n > 0) potrf("U", n, l, n, &info);
      bool failed = info != 0;
      for (int64_t i = 0; i < n && !failed; i++) failed = !std::isfinite(l[i * n + i]);
      if (!failed) return;
      for (int64_t i = 0; i < n; i++) std::fill(l + i * n, l + i * n + i + 1, std::numeric_limits<T>::quiet_NaN());
    });
  }
};

// Solutions of triangular systems.
template <typename T>
struct TriangularSolve {
  static constexpr std::array flags{"lower", "adjoint"};
  std::array<bool, 2> lowerAdjoint;

  void operator()(Call& call) const {
    Tensor<T> matrix = call.input<T>(0), right = call.input<T>(1);
    const Stack a(matrix.shape()), b(right.shape());
    const int n = squareSide(a);
    if (b.rows != n) throw std::invalid_argument("the right-hand side has not as many rows as the matrix");
    const Pairing pairing(a.shape, b.shape);
    Shape shape = pairing.shape;
    shape.insert(shape.end(), {b.rows, b.columns});
    Tensor<T> output = call.output<T>(0, shape);
    if (sizeOf(shape) == 0) return;
    inTasks(pairing.pairs.size(), static_cast<double>(n) * n * b.columns, [&](int64_t index) {
      const auto [atMatrix, atRight] = pairing.pairs[index];
      const T* given = right.data() + atRight * b.size();
      T* solution = output.data() + index * b.size();
      std::copy(given, given + b.size(), solution);
      trsm(lowerAdjoint[0] ? CblasLower : CblasUpper, lowerAdjoint[1] ? CblasTrans : CblasNoTrans, n, b.columns,
           matrix.data() + atMatrix * a.size(), solution);
    });
  }
};

// Eigenvalues, ascending, and eigenvectors if asked for, of symmetric matrices; NaN where an element is not finite.
template <typename T>
struct SelfAdjointEig {
  static constexpr std::array flags{"compute_v"};
  std::array<bool, 1> withVectors;

  void operator()(Call& call) const {
    Tensor<T> input = call.input<T>(0);
    const Stack stack(input.shape());
    const int n = squareSide(stack);
    Tensor<T> values = call.output<T>(0, stack.of({n}));
    Tensor<T> vectors = call.output<T>(1, withVectors[0] ? input.shape() : Shape{0});
    if (stack.size() == 0) return;
    const char* jobz = withVectors[0] ? "V" : "N";
    blasint info = 0, integers = 0;
    T numbers = 0;
    syevd(jobz, "U", n, static_cast<T*>(nullptr), static_cast<T*>(nullptr), &numbers, -1, &integers, -1, &info);
    const blasint workSize = static_cast<blasint>(numbers);
    inTasks(stack.count, 4.0 / 3 * n * n * n, [&](int64_t index) {
      const auto a = scratch<T>(stack.size()), work = scratch<T>(workSize);
      const auto integerWork = scratch<blasint>(integers);
      std::fill_n(a.get(), stack.size(), T(0));
      const T* given = input.data() + index * stack.size();
      for (int64_t i = 0; i < n; i++) std::copy(given + i * n, given + i * n + i + 1, a.get() + i * n);
      blasint failed = allFinite(a.get(), stack.size()) ? 0 : 1;
      T* own = values.data() + index * n;
      if (!failed) syevd(jobz, "U", n, a.get(), own, work.get(), workSize, integerWork.get(), integers, &failed);
      if (failed) std::fill_n(own, n, std::numeric_limits<T>::quiet_NaN());
      if (failed) std::fill_n(a.get(), stack.size(), std::numeric_limits<T>::quiet_NaN());
      if (withVectors[0]) toRows(a.get(), n, n, vectors.data() + index * stack.size());
    });
  }
};

// Singular values, descending, and if asked for U and V with U diag(s) V^T = a; NaN where an element is not finite.
template <typename T>
struct Svd {
  static constexpr std::array flags{"compute_uv", "full_matrices"};
  std::array<bool, 2> withVectorsFull;

  void operator()(Call& call) const {
    const auto [withVectors, full] = withVectorsFull;
    Tensor<T> input = call.input<T>(0);
    const Stack stack(input.shape());
    const int m = stack.rows, n = stack.columns, p = std::min(m, n);
    const int uColumns = full ? m : p, vColumns = full ? n : p;
    Tensor<T> values = call.output<T>(0, stack.of({p}));
    Tensor<T> u = call.output<T>(1, withVectors ? stack.of({m, uColumns}) : Shape{0});
    Tensor<T> v = call.output<T>(2, withVectors ? stack.of({n, vColumns}) : Shape{0});
    if (stack.size() == 0) return;
    // To LAPACK a is a^T = V diag(s) U^T, [n, m].
    const char* jobz = !withVectors ? "N" : full ? "A" : "S";
    blasint info = 0;
    T numbers = 0;
    gesdd(jobz, n, m, static_cast<T*>(nullptr), static_cast<T*>(nullptr), static_cast<T*>(nullptr), n,
          static_cast<T*>(nullptr), uColumns, &numbers, -1, static_cast<blasint*>(nullptr), &info);
    const blasint workSize = static_cast<blasint>(numbers);
    inTasks(stack.count, 4.0 * p * p * std::max(m, n), [&, withVectors = withVectors](int64_t index) {
      const auto a = scratch<T>(stack.size()), work = scratch<T>(workSize);
      const auto integerWork = scratch<blasint>(8 * p);
      const auto byColumns = scratch<T>(withVectors ? static_cast<int64_t>(n) * vColumns : 0);
      const T* given = input.data() + index * stack.size();
      std::copy(given, given + stack.size(), a.get());
      T* own = values.data() + index * p;
      T* left = withVectors ? u.data() + index * m * uColumns : nullptr;
      blasint failed = allFinite(given, stack.size()) ? 0 : 1;
      if (!failed) {
        gesdd(jobz, n, m, a.get(), own, byColumns.get(), n, left, uColumns, work.get(), workSize, integerWork.get(),
              &failed);
      }
      if (failed) {
        std::fill_n(own, p, std::numeric_limits<T>::quiet_NaN());
        std::fill_n(byColumns.get(), withVectors ? static_cast<int64_t>(n) * vColumns : 0,
                    std::numeric_limits<T>::quiet_NaN());
        std::fill_n(left, withVectors ? static_cast<int64_t>(m) * uColumns : 0, std::numeric_limits<T>::quiet_NaN());
      }
      if (withVectors) toRows(byColumns.get(), n, vColumns, v.data() + index * n * vColumns);
    });
  }
};
