#pragma once

#include <array>

#include "blas.h"
#include "kernel.h"
#include "tasks.h"

// Where the matrices of two stacks of the same number of axes begin whose shapes are broadcast to one.
struct Pairing {
  Shape shape;
  std::vector<std::array<int64_t, 2>> pairs;

  Pairing(Shape x, Shape y) {
    while (x.size() < y.size()) x.insert(x.begin(), 1);
    while (y.size() < x.size()) y.insert(y.begin(), 1);
    for (size_t i = 0; i < x.size(); i++) {
      if (x[i] != y[i] && x[i] != 1 && y[i] != 1) {
        throw std::invalid_argument("the stacks cannot be broadcast to one shape");
      }
      shape.push_back(x[i] == 1 ? y[i] : x[i]);
    }
    pairs.resize(sizeOf(shape));
    for (size_t p = 0; p < pairs.size(); p++) {
      int64_t rest = p, xStride = 1, yStride = 1;
      for (size_t i = shape.size(); i-- > 0;) {
        const int64_t at = rest % shape[i];
        rest /= shape[i];
        if (x[i] > 1) pairs[p][0] += at * xStride;
        if (y[i] > 1) pairs[p][1] += at * yStride;
        xStride *= x[i];
        yStride *= y[i];
      }
    }
  }
};

// A left and a right factor; each is transposed where its flag says so.
template <typename T>
struct Factors {
  const T *left, *right;
};

// Completes a symmetric matrix [n, n] of which the lower triangle is there.
template <typename T>
void mirror(T* matrix, int64_t n) {
  constexpr int64_t tile = 16;
  for (int64_t from = 0; from < n; from += tile) {
    for (int64_t i = from; i < n; i++) {
      const int64_t end = std::min(i, from + tile);
      for (int64_t j = from; j < end; j++) matrix[j * n + i] = matrix[i * n + j];
    }
  }
}

// `count` products [m, n] = op(left) op(right) of inner length k, plus the bias [n] in every row where there is one.
//
// A vector on the right is not worth the copies that a product of matrices makes (one on the left is an example alone, and
// should come out as it does among others), and of X X^T half is enough.
//
// Few products that are large are each cut along their longer side, never the inner one. In how many parts hangs on their
// shapes alone: so an element is the same to the last bit on any number of threads, and a core that is also wanted
// elsewhere does not hold up the others for long.
template <typename T, typename FactorsOf>
void multiply(int64_t count, int64_t m, int64_t n, int64_t k, std::array<bool, 2> adjoint, const FactorsOf& factorsOf,
              const T* bias, T* products) {
  // A part copies all of the other factor, which hundreds of rows pay for; steps are what OpenBLAS's inner loops take at once.
  constexpr int64_t worthItsCopy = 384, step = 16;
  const auto operation = [](bool transposed) { return transposed ? CblasTrans : CblasNoTrans; };
  const int64_t leftStride = std::max<int64_t>(1, adjoint[0] ? m : k);
  const int64_t rightStride = std::max<int64_t>(1, adjoint[1] ? k : n);
  const int64_t longer = std::max(m, n);
  const double operations = 2.0 * m * n * k;
  const auto isOne = [](const Factors<T>& factors) { return factors.left == factors.right; };
  const bool symmetric = m == n && adjoint[0] != adjoint[1] && !bias && count > 0 && isOne(factorsOf(0));
  const bool cut = !symmetric && count < 8 && operations >= WORTH_A_THREAD;
  // An even number, for machines of two cores.
  const int64_t parts = cut ? std::max<int64_t>(2, longer / worthItsCopy / 2 * 2) : 1;
  const int64_t length = ((longer + parts - 1) / parts + step - 1) / step * step;
  inTasks(count * parts, operations / parts, [&](int64_t task) {
    const int64_t index = task / parts, from = task % parts * length;
    const int64_t size = std::min(longer, from + length) - from;
    if (size <= 0) return;
    const bool byRows = m >= n;
    const int64_t row = byRows ? from : 0, column = byRows ? 0 : from;
    const int64_t rows = byRows ? size : m, columns = byRows ? n : size;
    const Factors<T> factors = factorsOf(index);
    const T* left = factors.left + row * (adjoint[0] ? 1 : leftStride);
    const T* right = factors.right + column * (adjoint[1] ? rightStride : 1);
    T* product = products + index * m * n + row * n + column;
    for (int64_t i = 0; bias && i < rows; i++) std::copy_n(bias + column, columns, product + i * n);
    const T beta = bias ? 1 : 0;
    if (k == 0) {
      for (int64_t i = 0; !bias && i < rows; i++) std::fill_n(product + i * n, columns, T(0));
    } else if (n == 1) {
      gemv(operation(adjoint[0]), adjoint[0] ? k : rows, adjoint[0] ? rows : k, left, leftStride, right, beta, product);
    } else if (symmetric && isOne(factors)) {
      syrk(CblasLower, operation(adjoint[0]), n, k, left, leftStride, product, n);
      mirror(product, n);
    } else {
      gemm(operation(adjoint[0]), operation(adjoint[1]), rows, columns, k, T(1), left, leftStride, right, rightStride,
           beta, product, n);
    }
  });
}

// op(x) op(y) for the matrices of two stacks, which broadcast.
template <typename T>
struct BatchMatMul {
  static constexpr std::array flags{"adj_x", "adj_y"};
  std::array<bool, 2> adjoint;

  void operator()(Call& call) const {
    Tensor<T> x = call.input<T>(0), y = call.input<T>(1);
    const Stack left(x.shape()), right(y.shape());
    const auto [m, k] = oriented(left, adjoint[0]);
    const auto [inner, n] = oriented(right, adjoint[1]);
    if (inner != k) throw std::invalid_argument("the matrices' inner lengths differ");
    const Pairing pairing(left.shape, right.shape);
    Shape shape = pairing.shape;
    shape.insert(shape.end(), {m, n});
    Tensor<T> products = call.output<T>(0, shape);
    if (sizeOf(shape) == 0) return;
    const auto factorsOf = [&](int64_t index) {
      const auto [atLeft, atRight] = pairing.pairs[index];
      return Factors<T>{x.data() + atLeft * left.size(), y.data() + atRight * right.size()};
    };
    multiply<T>(pairing.pairs.size(), m, n, k, adjoint, factorsOf, nullptr, products.data());
  }

 private:
  static std::array<int, 2> oriented(const Stack& stack, bool adjoint) {
    return adjoint ? std::array{stack.columns, stack.rows} : std::array{stack.rows, stack.columns};
  }
};
