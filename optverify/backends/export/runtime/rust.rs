/// x*x, rounded once
fn square(x: f64) -> f64 {
    x*x
}

/// the larger number; NaN if one of them is
fn maximum(x: f64, y: f64) -> f64 {
    if x >= y || x.is_nan() { x } else { y }
}

/// the smaller number; NaN if one of them is
fn minimum(x: f64, y: f64) -> f64 {
    if x <= y || x.is_nan() { x } else { y }
}

/// -1, 0 or 1; NaN of NaN
fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else if x == 0.0 {
        0.0
    } else {
        x
    }
}

/// Euclidean norm, scaled so that squares neither overflow nor vanish
fn norm(x: &[f64], size: usize) -> f64 {
    let (mut largest, mut sum) = (0.0, 0.0);
    for i in 0..size {
        let a = x[i].abs();
        largest = if a > largest || a.is_nan() { a } else { largest };
    }
    if largest == 0.0 || !f64::is_finite(largest) {
        return largest;
    }
    for i in 0..size {
        let y = x[i]/largest;
        sum += y*y;
    }
    largest*f64::sqrt(sum)
}

/// sum of the absolute values
fn norm1(x: &[f64], size: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..size {
        sum += x[i].abs();
    }
    sum
}

/// inner product
fn inner(x: &[f64], y: &[f64], size: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..size {
        sum += x[i]*y[i];
    }
    sum
}

/// mean of all numbers
fn mean(x: &[f64], size: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..size {
        sum += x[i];
    }
    sum/size as f64
}

/// root of the mean square
fn rms(x: &[f64], size: usize) -> f64 {
    if size > 0 { norm(x, size)/(size as f64).sqrt() } else { 0.0 }
}

/// mean of each row: rows numbers
fn row_mean(x: &[f64], rows: usize, columns: usize, out: &mut [f64]) {
    for i in 0..rows {
        let mut sum = 0.0;
        for j in 0..columns {
            sum += x[i*columns + j];
        }
        out[i] = sum/columns as f64;
    }
}

/// mean of each column: columns numbers
fn column_mean(x: &[f64], rows: usize, columns: usize, out: &mut [f64]) {
    for j in 0..columns {
        let mut sum = 0.0;
        for i in 0..rows {
            sum += x[i*columns + j];
        }
        out[j] = sum/rows as f64;
    }
}

/// largest number of each row
fn row_max(x: &[f64], rows: usize, columns: usize, out: &mut [f64]) {
    for i in 0..rows {
        let mut largest = f64::NEG_INFINITY;
        for j in 0..columns {
            largest = maximum(x[i*columns + j], largest);
        }
        out[i] = largest;
    }
}

/// largest number of each column
fn column_max(x: &[f64], rows: usize, columns: usize, out: &mut [f64]) {
    for j in 0..columns {
        let mut largest = f64::NEG_INFINITY;
        for i in 0..rows {
            largest = maximum(x[i*columns + j], largest);
        }
        out[j] = largest;
    }
}

/// product of (rows, inside) and (inside, columns)
fn matmul(x: &[f64], y: &[f64], rows: usize, inside: usize, columns: usize, out: &mut [f64]) {
    for i in 0..rows {
        for j in 0..columns {
            let mut sum = 0.0;
            for k in 0..inside {
                sum += x[i*inside + k]*y[k*columns + j];
            }
            out[i*columns + j] = sum;
        }
    }
}

/// transpose of (rows, columns)
fn transpose(x: &[f64], rows: usize, columns: usize, out: &mut [f64]) {
    for i in 0..rows {
        for j in 0..columns {
            out[j*rows + i] = x[i*columns + j];
        }
    }
}

/// Jacobi's method: a symmetric (n, n) becomes diagonal, v its eigenvectors as columns
fn jacobi(a: &mut [f64], v: &mut [f64], n: usize) {
    let mut size = 0.0;
    for i in 0..n*n {
        size = a[i].abs().max(size);
        v[i] = if i % (n + 1) == 0 { 1.0 } else { 0.0 };
    }
    for _ in 0..60 {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                if a[p*n + q].abs() <= 1e-18*size {
                    continue;
                }
                let angle = (a[q*n + q] - a[p*n + p])/(2.0*a[p*n + q]);
                let tangent = (if angle < 0.0 { -1.0 } else { 1.0 })/(angle.abs() + angle.hypot(1.0));
                let c = 1.0/f64::hypot(tangent, 1.0);
                let s = tangent*c;
                turned = true;
                for i in 0..n {
                    let (x, y) = (a[i*n + p], a[i*n + q]);
                    a[i*n + p] = c*x - s*y;
                    a[i*n + q] = s*x + c*y;
                }
                for i in 0..n {
                    let (x, y) = (a[p*n + i], a[q*n + i]);
                    a[p*n + i] = c*x - s*y;
                    a[q*n + i] = s*x + c*y;
                }
                a[p*n + q] = 0.0;
                a[q*n + p] = 0.0;
                for i in 0..n {
                    let (x, y) = (v[i*n + p], v[i*n + q]);
                    v[i*n + p] = c*x - s*y;
                    v[i*n + q] = s*x + c*y;
                }
            }
        }
        if !turned {
            break;
        }
    }
}

/// power of a symmetric positive semidefinite (n, n); 0 stays 0
fn power_of(x: &[f64], power: f64, n: usize, out: &mut [f64]) {
    let (mut a, mut v) = (x.to_vec(), vec![0.0; n*n]);
    jacobi(&mut a, &mut v, n);
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0.0;
            for k in 0..n {
                let value = a[k*n + k];
                sum += if value > 0.0 { v[i*n + k]*value.powf(power)*v[j*n + k] } else { 0.0 };
            }
            out[i*n + j] = sum;
        }
    }
}

/// eigenvectors of a symmetric (n, n) as columns, the largest eigenvalue first; the entry of largest absolute
/// value in each is positive
fn eigenvectors(x: &[f64], n: usize, out: &mut [f64]) {
    let (mut a, mut v) = (x.to_vec(), vec![0.0; n*n]);
    jacobi(&mut a, &mut v, n);
    for j in 0..n {
        let (mut best, mut largest) = (j, 0);
        for k in j + 1..n {
            best = if a[k*n + k] > a[best*n + best] { k } else { best };
        }
        let value = a[best*n + best];
        a[best*n + best] = a[j*n + j];
        a[j*n + j] = value;
        for i in 0..n {
            let entry = v[i*n + best];
            v[i*n + best] = v[i*n + j];
            v[i*n + j] = entry;
        }
        for i in 1..n {
            largest = if v[i*n + j].abs() > v[largest*n + j].abs() { i } else { largest };
        }
        for i in 0..n {
            out[i*n + j] = if v[largest*n + j] < 0.0 { -v[i*n + j] } else { v[i*n + j] };
        }
    }
}

/// Q of (n, n) = Q R with diag(R) >= 0, by Householder's reflections
fn orthonormal(x: &[f64], n: usize, out: &mut [f64]) {
    let (mut r, mut q) = (x.to_vec(), vec![0.0; n*n]);
    for i in 0..n*n {
        q[i] = if i % (n + 1) == 0 { 1.0 } else { 0.0 };
    }
    for k in 0..n.saturating_sub(1) {
        let (mut below, mut length) = (0.0, 0.0);
        for i in k..n {
            length = f64::hypot(length, r[i*n + k]);
            below = if i > k { f64::hypot(below, r[i*n + k]) } else { 0.0 };
        }
        if below == 0.0 {
            continue;
        }
        let signed = if r[k*n + k] < 0.0 { -length } else { length };
        let head = r[k*n + k] + signed;
        let beta = head/signed;
        for i in k + 1..n {
            r[i*n + k] /= head; // the reflection I - beta u u^T, u = (1, this column)
        }
        for j in k + 1..n {
            let mut sum = r[k*n + j];
            for i in k + 1..n {
                sum += r[i*n + k]*r[i*n + j];
            }
            r[k*n + j] -= beta*sum;
            for i in k + 1..n {
                r[i*n + j] -= beta*sum*r[i*n + k];
            }
        }
        for i in 0..n {
            let mut sum = q[i*n + k];
            for j in k + 1..n {
                sum += q[i*n + j]*r[j*n + k];
            }
            q[i*n + k] -= beta*sum;
            for j in k + 1..n {
                q[i*n + j] -= beta*sum*r[j*n + k];
            }
        }
        r[k*n + k] = -signed;
    }
    for i in 0..n {
        for j in 0..n {
            out[i*n + j] = if r[j*n + j] < 0.0 { -q[i*n + j] } else { q[i*n + j] };
        }
    }
}
