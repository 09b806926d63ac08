// What a Transformer's layer does between its products, each in one pass over memory; lib/models has the same in ops of
// tfjs, which take several.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "blas.h"
#include "kernel.h"
#include "product.h"
#include "tasks.h"
#include "vector-math.h"

// x [rows, d], weight [m, d], bias [m] -> x weight^T + bias, [rows, m].
template <typename T>
struct Linear {
  static constexpr std::array<const char*, 0> flags{};
  std::array<bool, 0> none;

  void operator()(Call& call) const {
    Tensor<T> x = call.input<T>(0), weight = call.input<T>(1), bias = call.input<T>(2);
    const Stack rows(x.shape()), map(weight.shape());
    if (rows.count != 1 || map.count != 1 || map.columns != rows.columns || bias.shape() != Shape{map.rows}) {
      throw std::invalid_argument("expected x [rows, d], weight [m, d], bias [m]");
    }
    Tensor<T> y = call.output<T>(0, {rows.rows, map.rows});
    if (rows.rows == 0 || map.rows == 0) return;
    multiply<T>(1, rows.rows, map.rows, rows.columns, {false, true},
                [&](int64_t) { return Factors<T>{x.data(), weight.data()}; }, bias.data(), y.data());
  }
};

// Sums over eight lanes: what a processor adds at once, and a smaller error than one after the other.
template <typename T, typename Term>
T laneSum(int64_t count, const Term& term) {
  constexpr int64_t lanes = 8;
  T sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int64_t lane = 0; lane < lanes; lane++) sums[lane] += term(i + lane);
  }
  for (; i < count; i++) sums[i % lanes] += term(i);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// x [..., d], eps [], weight [d], bias [d] -> weight (x - mean) / sqrt(variance + eps) + bias over the last axis.
template <typename T>
struct LayerNorm {
  static constexpr std::array<const char*, 0> flags{};
  std::array<bool, 0> none;

  void operator()(Call& call) const {
    Tensor<T> x = call.input<T>(0), eps = call.input<T>(1), weight = call.input<T>(2), bias = call.input<T>(3);
    const Shape shape = x.shape();
    const int64_t d = shape.empty() ? 0 : shape.back();
    if (d == 0 || weight.shape() != Shape{d} || bias.shape() != Shape{d}) {
      throw std::invalid_argument("expected x [..., d], weight [d], bias [d]");
    }
    Tensor<T> y = call.output<T>(0, shape);
    inTasks(sizeOf(shape) / d, 10.0 * d, [&](int64_t row) {
      const T *in = x.data() + row * d, *scale = weight.data(), *shift = bias.data();
      T* out = y.data() + row * d;
      const T mean = laneSum<T>(d, [&](int64_t i) { return in[i]; }) / d;
      for (int64_t i = 0; i < d; i++) out[i] = in[i] - mean;
      const T variance = laneSum<T>(d, [&](int64_t i) { return out[i] * out[i]; }) / d;
      const T factor = 1 / std::sqrt(variance + *eps.data());
      for (int64_t i = 0; i < d; i++) out[i] = out[i] * factor * scale[i] + shift[i];
    });
  }
};

// x Phi(x) of every element, Phi being the normal distribution function.
template <typename T>
struct Gelu {
  static constexpr std::array<const char*, 0> flags{};
  std::array<bool, 0> none;

  void operator()(Call& call) const {
    Tensor<T> x = call.input<T>(0);
    Tensor<T> y = call.output<T>(0, x.shape());
    const int64_t size = sizeOf(x.shape()), chunk = 1024;
    inTasks((size + chunk - 1) / chunk, 20 * chunk, [&](int64_t task) {
      const int64_t length = std::min(size - task * chunk, chunk);
      const T* in = x.data() + task * chunk;
      T* out = y.data() + task * chunk;
      for (int64_t i = 0; i < length; i++) out[i] = in[i] * T(M_SQRT1_2);
      errorFunctions(out, length);
      for (int64_t i = 0; i < length; i++) out[i] = in[i] * T(0.5) * (out[i] + 1);
    });
  }
};

// query [B, m, H, d_h], key [B, n, H, d_h], value [B, n, H, d_v], scale [], mask that broadcasts to [B, H, m, n], or any
// number for none -> softmax(query key^T scale + mask) value for each head, the heads side by side: [B, m, H d_v].
//
// A head's scores [m, n] are never all in memory at once, only those of the heads that are at work; and heads are read
// where they lie, so that nothing is transposed.
template <typename T>
struct Attention {
  static constexpr std::array<const char*, 0> flags{};
  std::array<bool, 0> none;

  void operator()(Call& call) const {
    Tensor<T> query = call.input<T>(0), key = call.input<T>(1), value = call.input<T>(2), scale = call.input<T>(3),
              mask = call.input<T>(4);
    const Shape &q = query.shape(), &k = key.shape(), &v = value.shape();
    const bool fit = q.size() == 4 && k.size() == 4 && v.size() == 4 && q[0] == k[0] && k[0] == v[0] && q[2] == k[2] &&
                     k[2] == v[2] && q[3] == k[3] && k[1] == v[1] && k[1] > 0;
    if (!fit) throw std::invalid_argument("expected query [B, m, H, d], key [B, n, H, d], value [B, n, H, d_v]");
    const int64_t batch = q[0], m = q[1], heads = q[2], size = q[3], n = k[1], valueSize = v[3];
    const std::array<int64_t, 4> strides = maskStrides(mask.shape(), {batch, heads, m, n});
    Tensor<T> output = call.output<T>(0, {batch, m, heads * valueSize});
    if (sizeOf(output.shape()) == 0) return;
    inTasks(batch * heads, 2.0 * m * n * (size + valueSize) + 20.0 * m * n, [&](int64_t task) {
      const int64_t example = task / heads, head = task % heads, width = heads * size;
      thread_local std::vector<T> scores;
      scores.resize(m * n);
      gemm(CblasNoTrans, CblasTrans, m, n, size, *scale.data(), query.data() + (example * m * heads + head) * size, width,
           key.data() + (example * n * heads + head) * size, width, T(0), scores.data(), n);
      const T* shifts = mask.data() + example * strides[0] + head * strides[1];
      for (int64_t i = 0; i < m; i++) {
        T* row = scores.data() + i * n;
        if (!mask.shape().empty()) {
          for (int64_t j = 0; j < n; j++) row[j] += shifts[i * strides[2] + j * strides[3]];
        }
        softmax(row, n);
      }
      const int64_t valueWidth = heads * valueSize;
      gemm(CblasNoTrans, CblasNoTrans, m, valueSize, n, T(1), scores.data(), n,
           value.data() + (example * n * heads + head) * valueSize, valueWidth, T(0),
           output.data() + (example * m * heads + head) * valueSize, valueWidth);
    });
  }

 private:
  static void softmax(T* row, int64_t n) {
    const T largest = *std::max_element(row, row + n);
    for (int64_t j = 0; j < n; j++) row[j] -= largest;
    exponentials(row, n);
    const T factor = 1 / laneSum<T>(n, [&](int64_t j) { return row[j]; });
    for (int64_t j = 0; j < n; j++) row[j] *= factor;
  }

  static std::array<int64_t, 4> maskStrides(const Shape& shape, const std::array<int64_t, 4>& full) {
    std::array<int64_t, 4> strides{};
    if (shape.size() > 4) throw std::invalid_argument("the mask has more than four axes");
    int64_t stride = 1;
    for (size_t axis = shape.size(), at = 4; axis-- > 0;) {
      at--;
      if (shape[axis] != 1 && shape[axis] != full[at]) {
        throw std::invalid_argument("the mask does not broadcast to [B, H, m, n]");
      }
      strides[at] = shape[axis] == 1 ? 0 : stride;
      stride *= shape[axis];
    }
    return strides;
  }
};
