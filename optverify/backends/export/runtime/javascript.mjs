// x*x, rounded once
function square(x) { return x*x; }

// -1, 0 or 1; NaN of NaN
function sign(x) { return x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x; }

// Euclidean norm, scaled so that squares neither overflow nor vanish
function norm(x, size) {
    let largest = 0, sum = 0;
    for (let i = 0; i < size; i++) {
        const a = Math.abs(x[i]);
        largest = a > largest || a !== a ? a : largest;
    }
    if (!(largest > 0) || largest === Infinity) {
        return largest;
    }
    for (let i = 0; i < size; i++) {
        const y = x[i]/largest;
        sum += y*y;
    }
    return largest*Math.sqrt(sum);
}

// sum of the absolute values
function norm1(x, size) {
    let sum = 0;
    for (let i = 0; i < size; i++) {
        sum += Math.abs(x[i]);
    }
    return sum;
}

// inner product
function inner(x, y, size) {
    let sum = 0;
    for (let i = 0; i < size; i++) {
        sum += x[i]*y[i];
    }
    return sum;
}

// mean of all numbers
function mean(x, size) {
    let sum = 0;
    for (let i = 0; i < size; i++) {
        sum += x[i];
    }
    return sum/size;
}

// root of the mean square
function rms(x, size) {
    return size ? norm(x, size)/Math.sqrt(size) : 0;
}

// mean of each row: rows numbers
function row_mean(x, rows, columns, out) {
    for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let j = 0; j < columns; j++) {
            sum += x[i*columns + j];
        }
        out[i] = sum/columns;
    }
}

// mean of each column: columns numbers
function column_mean(x, rows, columns, out) {
    for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) {
            sum += x[i*columns + j];
        }
        out[j] = sum/rows;
    }
}

// largest number of each row
function row_max(x, rows, columns, out) {
    for (let i = 0; i < rows; i++) {
        let largest = -Infinity;
        for (let j = 0; j < columns; j++) {
            largest = Math.max(x[i*columns + j], largest);
        }
        out[i] = largest;
    }
}

// largest number of each column
function column_max(x, rows, columns, out) {
    for (let j = 0; j < columns; j++) {
        let largest = -Infinity;
        for (let i = 0; i < rows; i++) {
            largest = Math.max(x[i*columns + j], largest);
        }
        out[j] = largest;
    }
}

// product of (rows, inside) and (inside, columns)
function matmul(x, y, rows, inside, columns, out) {
    for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
            let sum = 0;
            for (let k = 0; k < inside; k++) {
                sum += x[i*inside + k]*y[k*columns + j];
            }
            out[i*columns + j] = sum;
        }
    }
}

// transpose of (rows, columns)
function transpose(x, rows, columns, out) {
    for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
            out[j*rows + i] = x[i*columns + j];
        }
    }
}

// Jacobi's method: a symmetric (n, n) becomes diagonal, v its eigenvectors as columns
function jacobi(a, v, n) {
    let size = 0;
    for (let i = 0; i < n*n; i++) {
        size = Math.max(size, Math.abs(a[i]));
        v[i] = i % (n + 1) === 0 ? 1 : 0;
    }
    for (let sweep = 0, turned = 1; turned && sweep < 60; sweep++) {
        turned = 0;
        for (let p = 0; p < n; p++) {
            for (let q = p + 1; q < n; q++) {
                if (!(Math.abs(a[p*n + q]) > 1e-18*size)) {
                    continue;
                }
                const angle = (a[q*n + q] - a[p*n + p])/(2*a[p*n + q]);
                const tangent = (angle < 0 ? -1 : 1)/(Math.abs(angle) + Math.hypot(angle, 1));
                const c = 1/Math.hypot(tangent, 1), s = tangent*c;
                turned = 1;
                for (let i = 0; i < n; i++) {
                    const x = a[i*n + p], y = a[i*n + q];
                    a[i*n + p] = c*x - s*y;
                    a[i*n + q] = s*x + c*y;
                }
                for (let i = 0; i < n; i++) {
                    const x = a[p*n + i], y = a[q*n + i];
                    a[p*n + i] = c*x - s*y;
                    a[q*n + i] = s*x + c*y;
                }
                a[p*n + q] = a[q*n + p] = 0;
                for (let i = 0; i < n; i++) {
                    const x = v[i*n + p], y = v[i*n + q];
                    v[i*n + p] = c*x - s*y;
                    v[i*n + q] = s*x + c*y;
                }
            }
        }
    }
}

// power of a symmetric positive semidefinite (n, n); 0 stays 0
function power_of(x, power, n, out) {
    const a = Float64Array.from(x), v = new Float64Array(n*n);
    jacobi(a, v, n);
    for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let k = 0; k < n; k++) {
                const value = a[k*n + k];
                sum += value > 0 ? v[i*n + k]*Math.pow(value, power)*v[j*n + k] : 0;
            }
            out[i*n + j] = sum;
        }
    }
}

// eigenvectors of a symmetric (n, n) as columns, the largest eigenvalue first; the entry of largest absolute
// value in each is positive
function eigenvectors(x, n, out) {
    const a = Float64Array.from(x), v = new Float64Array(n*n);
    jacobi(a, v, n);
    for (let j = 0; j < n; j++) {
        let best = j, largest = 0;
        for (let k = j + 1; k < n; k++) {
            best = a[k*n + k] > a[best*n + best] ? k : best;
        }
        const value = a[best*n + best];
        a[best*n + best] = a[j*n + j];
        a[j*n + j] = value;
        for (let i = 0; i < n; i++) {
            const entry = v[i*n + best];
            v[i*n + best] = v[i*n + j];
            v[i*n + j] = entry;
        }
        for (let i = 1; i < n; i++) {
            largest = Math.abs(v[i*n + j]) > Math.abs(v[largest*n + j]) ? i : largest;
        }
        for (let i = 0; i < n; i++) {
            out[i*n + j] = v[largest*n + j] < 0 ? -v[i*n + j] : v[i*n + j];
        }
    }
}

// Q of (n, n) = Q R with diag(R) >= 0, by Householder's reflections
function orthonormal(x, n, out) {
    const r = Float64Array.from(x), q = new Float64Array(n*n);
    for (let i = 0; i < n*n; i++) {
        q[i] = i % (n + 1) === 0 ? 1 : 0;
    }
    for (let k = 0; k + 1 < n; k++) {
        let below = 0, length = 0;
        for (let i = k; i < n; i++) {
            length = Math.hypot(length, r[i*n + k]);
            below = i > k ? Math.hypot(below, r[i*n + k]) : 0;
        }
        if (below === 0) {
            continue;
        }
        const head = r[k*n + k] + (r[k*n + k] < 0 ? -length : length);
        const beta = head/(r[k*n + k] < 0 ? -length : length);
        for (let i = k + 1; i < n; i++) {
            r[i*n + k] /= head; // the reflection I - beta u u^T, u = (1, this column)
        }
        for (let j = k + 1; j < n; j++) {
            let sum = r[k*n + j];
            for (let i = k + 1; i < n; i++) {
                sum += r[i*n + k]*r[i*n + j];
            }
            r[k*n + j] -= beta*sum;
            for (let i = k + 1; i < n; i++) {
                r[i*n + j] -= beta*sum*r[i*n + k];
            }
        }
        for (let i = 0; i < n; i++) {
            let sum = q[i*n + k];
            for (let j = k + 1; j < n; j++) {
                sum += q[i*n + j]*r[j*n + k];
            }
            q[i*n + k] -= beta*sum;
            for (let j = k + 1; j < n; j++) {
                q[i*n + j] -= beta*sum*r[j*n + k];
            }
        }
        r[k*n + k] = r[k*n + k] < 0 ? length : -length;
    }
    for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
            out[i*n + j] = r[j*n + j] < 0 ? -q[i*n + j] : q[i*n + j];
        }
    }
}
