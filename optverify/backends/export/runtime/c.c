/* x*x, rounded once */
static inline double square(double x) { return x*x; }

/* the larger number; NaN if one of them is */
static inline double maximum(double x, double y) { return x >= y || x != x ? x : y; }

/* the smaller number; NaN if one of them is */
static inline double minimum(double x, double y) { return x <= y || x != x ? x : y; }

/* -1, 0 or 1; NaN of NaN */
static inline double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x; }

/* Euclidean norm, scaled so that squares neither overflow nor vanish */
static inline double norm(const real *x, size_t size)
{
    double largest = 0, sum = 0;
    for (size_t i = 0; i < size; i++) {
        const double a = fabs(x[i]);
        largest = a > largest || a != a ? a : largest;
    }
    if (!(largest > 0) || isinf(largest)) {
        return largest;
    }
    for (size_t i = 0; i < size; i++) {
        const double y = x[i]/largest;
        sum += y*y;
    }
    return largest*sqrt(sum);
}

/* sum of the absolute values */
static inline double norm1(const real *x, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += fabs(x[i]);
    }
    return sum;
}

/* inner product */
static inline double inner(const real *x, const real *y, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += (double)x[i]*y[i];
    }
    return sum;
}

/* mean of all numbers */
static inline double mean(const real *x, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += x[i];
    }
    return sum/(double)size;
}

/* root of the mean square */
static inline double rms(const real *x, size_t size)
{
    return size ? norm(x, size)/sqrt((double)size) : 0;
}

/* mean of each row: rows numbers */
static inline void row_mean(const real *x, size_t rows, size_t columns, real *out)
{
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += x[i*columns + j];
        }
        out[i] = (real)(sum/(double)columns);
    }
}

/* mean of each column: columns numbers */
static inline void column_mean(const real *x, size_t rows, size_t columns, real *out)
{
    for (size_t j = 0; j < columns; j++) {
        double sum = 0;
        for (size_t i = 0; i < rows; i++) {
            sum += x[i*columns + j];
        }
        out[j] = (real)(sum/(double)rows);
    }
}

/* largest number of each row */
static inline void row_max(const real *x, size_t rows, size_t columns, real *out)
{
    for (size_t i = 0; i < rows; i++) {
        double largest = -HUGE_VAL;
        for (size_t j = 0; j < columns; j++) {
            largest = maximum(x[i*columns + j], largest);
        }
        out[i] = (real)largest;
    }
}

/* largest number of each column */
static inline void column_max(const real *x, size_t rows, size_t columns, real *out)
{
    for (size_t j = 0; j < columns; j++) {
        double largest = -HUGE_VAL;
        for (size_t i = 0; i < rows; i++) {
            largest = maximum(x[i*columns + j], largest);
        }
        out[j] = (real)largest;
    }
}

/* product of (rows, inside) and (inside, columns) */
static inline void matmul(const real *x, const real *y, size_t rows, size_t inside, size_t columns, real *out)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            double sum = 0;
            for (size_t k = 0; k < inside; k++) {
                sum += (double)x[i*inside + k]*y[k*columns + j];
            }
            out[i*columns + j] = (real)sum;
        }
    }
}

/* transpose of (rows, columns) */
static inline void transpose(const real *x, size_t rows, size_t columns, real *out)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            out[j*rows + i] = x[i*columns + j];
        }
    }
}

/* Jacobi's method: a symmetric (n, n) becomes diagonal, v its eigenvectors as columns */
static inline void jacobi(double *a, double *v, size_t n)
{
    double size = 0;
    for (size_t i = 0; i < n*n; i++) {
        size = fmax(size, fabs(a[i]));
        v[i] = i % (n + 1) == 0;
    }
    for (int sweep = 0, turned = 1; turned && sweep < 60; sweep++) {
        turned = 0;
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                if (!(fabs(a[p*n + q]) > 1e-18*size)) {
                    continue;
                }
                const double angle = (a[q*n + q] - a[p*n + p])/(2*a[p*n + q]);
                const double tangent = (angle < 0 ? -1 : 1)/(fabs(angle) + hypot(angle, 1));
                const double c = 1/hypot(tangent, 1), s = tangent*c;
                turned = 1;
                for (size_t i = 0; i < n; i++) {
                    const double x = a[i*n + p], y = a[i*n + q];
                    a[i*n + p] = c*x - s*y;
                    a[i*n + q] = s*x + c*y;
                }
                for (size_t i = 0; i < n; i++) {
                    const double x = a[p*n + i], y = a[q*n + i];
                    a[p*n + i] = c*x - s*y;
                    a[q*n + i] = s*x + c*y;
                }
                a[p*n + q] = a[q*n + p] = 0;
                for (size_t i = 0; i < n; i++) {
                    const double x = v[i*n + p], y = v[i*n + q];
                    v[i*n + p] = c*x - s*y;
                    v[i*n + q] = s*x + c*y;
                }
            }
        }
    }
}

/* power of a symmetric positive semidefinite (n, n); 0 stays 0. scratch: 2 n n numbers */
static inline void power_of(const real *x, double power, size_t n, double *scratch, real *out)
{
    double *a = scratch, *v = scratch + n*n;
    for (size_t i = 0; i < n*n; i++) {
        a[i] = x[i];
    }
    jacobi(a, v, n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) {
                const double value = a[k*n + k];
                sum += value > 0 ? v[i*n + k]*pow(value, power)*v[j*n + k] : 0;
            }
            out[i*n + j] = (real)sum;
        }
    }
}

/* eigenvectors of a symmetric (n, n) as columns, the largest eigenvalue first; the entry of largest absolute
   value in each is positive. scratch: 2 n n numbers */
static inline void eigenvectors(const real *x, size_t n, double *scratch, real *out)
{
    double *a = scratch, *v = scratch + n*n;
    for (size_t i = 0; i < n*n; i++) {
        a[i] = x[i];
    }
    jacobi(a, v, n);
    for (size_t j = 0; j < n; j++) {
        size_t best = j, largest = 0;
        for (size_t k = j + 1; k < n; k++) {
            best = a[k*n + k] > a[best*n + best] ? k : best;
        }
        const double value = a[best*n + best];
        a[best*n + best] = a[j*n + j];
        a[j*n + j] = value;
        for (size_t i = 0; i < n; i++) {
            const double entry = v[i*n + best];
            v[i*n + best] = v[i*n + j];
            v[i*n + j] = entry;
        }
        for (size_t i = 1; i < n; i++) {
            largest = fabs(v[i*n + j]) > fabs(v[largest*n + j]) ? i : largest;
        }
        for (size_t i = 0; i < n; i++) {
            out[i*n + j] = (real)(v[largest*n + j] < 0 ? -v[i*n + j] : v[i*n + j]);
        }
    }
}

/* Q of (n, n) = Q R with diag(R) >= 0, by Householder's reflections. scratch: 2 n n numbers */
static inline void orthonormal(const real *x, size_t n, double *scratch, real *out)
{
    double *r = scratch, *q = scratch + n*n;
    for (size_t i = 0; i < n*n; i++) {
        r[i] = x[i];
        q[i] = i % (n + 1) == 0;
    }
    for (size_t k = 0; k + 1 < n; k++) {
        double below = 0, length = 0;
        for (size_t i = k; i < n; i++) {
            length = hypot(length, r[i*n + k]);
            below = i > k ? hypot(below, r[i*n + k]) : 0;
        }
        if (below == 0) {
            continue;
        }
        const double head = r[k*n + k] + (r[k*n + k] < 0 ? -length : length);
        const double beta = head/(r[k*n + k] < 0 ? -length : length);
        for (size_t i = k + 1; i < n; i++) {
            r[i*n + k] /= head; /* the reflection I - beta u u^T, u = (1, this column) */
        }
        for (size_t j = k + 1; j < n; j++) {
            double sum = r[k*n + j];
            for (size_t i = k + 1; i < n; i++) {
                sum += r[i*n + k]*r[i*n + j];
            }
            r[k*n + j] -= beta*sum;
            for (size_t i = k + 1; i < n; i++) {
                r[i*n + j] -= beta*sum*r[i*n + k];
            }
        }
        for (size_t i = 0; i < n; i++) {
            double sum = q[i*n + k];
            for (size_t j = k + 1; j < n; j++) {
                sum += q[i*n + j]*r[j*n + k];
            }
            q[i*n + k] -= beta*sum;
            for (size_t j = k + 1; j < n; j++) {
                q[i*n + j] -= beta*sum*r[j*n + k];
            }
        }
        r[k*n + k] = r[k*n + k] < 0 ? length : -length;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            out[i*n + j] = (real)(r[j*n + j] < 0 ? -q[i*n + j] : q[i*n + j]);
        }
    }
}
