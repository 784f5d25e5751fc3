"Mean of all numbers."
mean(x) = sum(x)/length(x)

"Root of the mean square."
rms(x) = norm(x)/sqrt(length(x))

"Mean of each row: (m, n) -> (m, 1)."
row_mean(x) = sum(x; dims=2)/size(x, 2)

"Mean of each column: (m, n) -> (1, n)."
column_mean(x) = sum(x; dims=1)/size(x, 1)

"Largest number of each row: (m, n) -> (m, 1)."
row_max(x) = maximum(x; dims=2)

"Largest number of each column: (m, n) -> (1, n)."
column_max(x) = maximum(x; dims=1)

"Power of a symmetric positive semidefinite matrix; 0 stays 0."
function power_of(x, power)
    values, vectors = eigen(Symmetric(x))
    return vectors*Diagonal([value > 0 ? value^power : zero(value) for value in values])*vectors'
end

"Eigenvectors of a symmetric matrix as columns, the largest eigenvalue first; the entry of largest absolute value
in each is positive."
function eigenvectors(x)
    vectors = eigen(Symmetric(x)).vectors[:, end:-1:1]
    for column in eachcol(vectors)
        column .*= column[argmax(abs.(column))] < 0 ? -1 : 1
    end
    return vectors
end

"Q of A = Q R with diag(R) >= 0."
function orthonormal(x)
    q, r = qr(x)
    return Matrix(q)*Diagonal([value < 0 ? -1 : 1 for value in diag(r)])
end
