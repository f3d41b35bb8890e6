# ranger_fit.R (IDX_FOLDER | RDS TASK) TREES SEED: one fit of ranger's forest in a process of its own, one thread;
# prints one JSON object. Parameters are ours and scikit-learn's defaults: regression tries every feature at a split and
# may end in leaves of one row (ranger's own defaults are fewer features and five rows). The out-of-bag error, which
# nobody else computes here, is left out.
suppressMessages(library(ranger))
words <- commandArgs(trailingOnly = TRUE)

read_idx <- function(path, skip, n) {
  file <- gzfile(path, "rb")
  on.exit(close(file))
  readBin(file, "raw", skip)
  readBin(file, "integer", n, size = 1, signed = FALSE)
}

read_idx_part <- function(folder, split, n) {
  pixels <- read_idx(file.path(folder, paste0(split, "-images-idx3-ubyte.gz")), 16, n * 784)
  labels <- read_idx(file.path(folder, paste0(split, "-labels-idx1-ubyte.gz")), 8, n)
  x <- matrix(as.double(pixels), n, 784, byrow = TRUE, dimnames = list(NULL, paste0("x", 1:784)))
  list(x = x, y = factor(labels))
}

read_rds_part <- function(table) list(x = table[-ncol(table)], y = table[[ncol(table)]])

if (length(words) == 3) {
  task <- "classification"
  train <- read_idx_part(words[1], "train", 60000)
  test <- read_idx_part(words[1], "t10k", 10000)
} else {
  task <- words[2]
  parts <- readRDS(words[1])
  train <- read_rds_part(parts$train)
  test <- read_rds_part(parts$test)
}
trees <- as.integer(words[length(words) - 1])
mtry <- if (task == "regression") ncol(train$x) else floor(sqrt(ncol(train$x)))

began <- proc.time()[["elapsed"]]
model <- ranger(x = train$x, y = train$y, num.trees = trees, mtry = mtry, min.node.size = 1, num.threads = 1,
                oob.error = FALSE, verbose = FALSE, seed = as.integer(words[length(words)]))
seconds <- proc.time()[["elapsed"]] - began

said <- predict(model, test$x, num.threads = 1, verbose = FALSE)$predictions
score <- if (task == "regression") 1 - sum((said - test$y)^2) / sum((test$y - mean(test$y))^2) else mean(said == test$y)
nodes <- sum(vapply(model$forest$split.varIDs, length, 1L))
cat(sprintf('{"fit_seconds": %.6f, "nodes": %d, "score": %.8f}\n', seconds, nodes, score))
