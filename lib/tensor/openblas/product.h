#pragma once

#include <array>

#include "blas.h"
#include "kernel.h"
#include "threads.h"

// How many operations are worth waking another thread for; about 0.1 ms.
constexpr double WORTH_A_THREAD = 4e6;

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

// Does `count` equal tasks of `operations` each, on several threads where that pays, small ones many to a piece.
template <typename Task>
void inTasks(int64_t count, double operations, const Task& task) {
  const int64_t together = std::max<int64_t>(1, static_cast<int64_t>(WORTH_A_THREAD / 4 / std::max(1.0, operations)));
  const int64_t pieces = count * operations < WORTH_A_THREAD ? 1 : (count + together - 1) / together;
  const int64_t length = (count + pieces - 1) / std::max<int64_t>(1, pieces);
  inPieces(pieces, [&](int64_t piece) {
    const int64_t end = std::min(count, (piece + 1) * length);
    for (int64_t i = piece * length; i < end; i++) task(i);
  });
}

// op(x) op(y) for the matrices of two stacks, which broadcast; op transposes where a flag says so.
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
    Tensor<T> product = call.output<T>(0, shape);
    if (sizeOf(shape) == 0) return;

    // A few large products are each cut along their longer side, the inner one never: an element is the same sum of
    // products, in the same order, however many threads there are and whatever lies beside it.
    const int64_t count = pairing.pairs.size(), threads = threadCount();
    const double operations = 2.0 * m * n * k;
    const int64_t longer = std::max(m, n);
    const bool isCut = count < 4 * threads && count * operations >= WORTH_A_THREAD && count % threads != 0;
    const int64_t parts = isCut ? std::min<int64_t>(threads, (longer + MIN_CUT - 1) / MIN_CUT) : 1;
    const int64_t length = ((longer + parts - 1) / parts + MIN_CUT - 1) / MIN_CUT * MIN_CUT;
    const T *a = x.data(), *b = y.data();
    T* c = product.data();
    inTasks(count * parts, operations / parts, [&, m = m, n = n, k = k](int64_t task) {
      const int64_t index = task / parts, from = std::min(longer, task % parts * length);
      const int64_t size = std::min(longer, from + length) - from;
      const auto [atLeft, atRight] = pairing.pairs[index];
      const T *leftMatrix = a + atLeft * left.size(), *rightMatrix = b + atRight * right.size();
      T* result = c + index * m * n;
      if (size <= 0) return;
      if (m >= n) {
        multiply(size, n, k, leftMatrix + from * (adjoint[0] ? 1 : k), left, rightMatrix, right, result + from * n, n);
      } else {
        multiply(m, size, k, leftMatrix, left, rightMatrix + from * (adjoint[1] ? k : 1), right, result + from, n);
      }
    });
  }

 private:
  static constexpr int64_t MIN_CUT = 16;

  static std::array<int, 2> oriented(const Stack& stack, bool adjoint) {
    return adjoint ? std::array{stack.columns, stack.rows} : std::array{stack.rows, stack.columns};
  }

  void multiply(int m, int n, int k, const T* a, const Stack& left, const T* b, const Stack& right, T* c, int ldc) const {
    const auto operation = [](bool adjoint) { return adjoint ? CblasTrans : CblasNoTrans; };
    gemm(operation(adjoint[0]), operation(adjoint[1]), m, n, k, a, std::max(1, left.columns), b,
         std::max(1, right.columns), c, ldc);
  }
};
