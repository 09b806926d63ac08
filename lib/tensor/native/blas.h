// The routines of OpenBLAS that are used here, under one name for both precisions, row-major unless it says otherwise.
#pragma once

#include <cblas.h>

#define OPENBLAS_ROUTINES(T, p)                                                                                        \
  inline void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, T alpha, const T* a,       \
                   blasint lda, const T* b, blasint ldb, T beta, T* c, blasint ldc) {                                  \
    scipy_cblas_##p##gemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                        \
  }                                                                                                                    \
  inline void gemv(CBLAS_TRANSPOSE ta, blasint rows, blasint columns, const T* a, blasint lda, const T* x, T beta,      \
                   T* y) {                                                                                             \
    scipy_cblas_##p##gemv(CblasRowMajor, ta, rows, columns, 1, a, lda, x, 1, beta, y, 1);                              \
  }                                                                                                                    \
  inline void syrk(CBLAS_UPLO uplo, CBLAS_TRANSPOSE ta, blasint n, blasint k, const T* a, blasint lda, T* c,           \
                   blasint ldc) {                                                                                      \
    scipy_cblas_##p##syrk(CblasRowMajor, uplo, ta, n, k, 1, a, lda, 0, c, ldc);                                        \
  }                                                                                                                    \
  inline void trsm(CBLAS_UPLO uplo, CBLAS_TRANSPOSE ta, blasint m, blasint n, const T* a, T* b) {                      \
    scipy_cblas_##p##trsm(CblasRowMajor, CblasLeft, uplo, ta, CblasNonUnit, m, n, 1, a, m, b, n);                      \
  }                                                                                                                    \
  extern "C" void scipy_##p##potrf_(const char*, const blasint*, T*, const blasint*, blasint*);                        \
  inline void potrf(const char* uplo, blasint n, T* a, blasint lda, blasint* info) {                                   \
    scipy_##p##potrf_(uplo, &n, a, &lda, info);                                                                        \
  }                                                                                                                    \
  extern "C" void scipy_##p##syevd_(const char*, const char*, const blasint*, T*, const blasint*, T*, T*,              \
                                    const blasint*, blasint*, const blasint*, blasint*);                               \
  inline void syevd(const char* jobz, const char* uplo, blasint n, T* a, T* w, T* work, blasint lwork, blasint* iwork, \
                    blasint liwork, blasint* info) {                                                                   \
    scipy_##p##syevd_(jobz, uplo, &n, a, &n, w, work, &lwork, iwork, &liwork, info);                                   \
  }                                                                                                                    \
  extern "C" void scipy_##p##gesdd_(const char*, const blasint*, const blasint*, T*, const blasint*, T*, T*,           \
                                    const blasint*, T*, const blasint*, T*, const blasint*, blasint*, blasint*);       \
  inline void gesdd(const char* jobz, blasint m, blasint n, T* a, T* s, T* u, blasint ldu, T* vt, blasint ldvt,        \
                    T* work, blasint lwork, blasint* iwork, blasint* info) {                                           \
    scipy_##p##gesdd_(jobz, &m, &n, a, &m, s, u, &ldu, vt, &ldvt, work, &lwork, iwork, info);                          \
  }

OPENBLAS_ROUTINES(float, s)
OPENBLAS_ROUTINES(double, d)

#undef OPENBLAS_ROUTINES
