# export.R FOLDER: the tables that R's packages bring, as files; the target is the last column and every fifth
# row is for testing. NAME-train.csv and NAME-test.csv hold factors as texts, NAME-train-codes.csv and
# NAME-test-codes.csv as the numbers of their levels, and NAME.rds both parts as R has them.
folder <- commandArgs(trailingOnly = TRUE)[1]

from_mlbench <- function(name) {
  place <- new.env()
  data(list = name, package = "mlbench", envir = place)
  place[[name]]
}

target_last <- function(table, target) table[c(setdiff(names(table), target), target)]

tables <- list(
  letter = target_last(from_mlbench("LetterRecognition"), "lettr"),
  shuttle = target_last(from_mlbench("Shuttle"), "Class"),
  satellite = target_last(from_mlbench("Satellite"), "classes"),
  boston = target_last(from_mlbench("BostonHousing"), "medv"),
  diamonds = target_last(as.data.frame(ggplot2::diamonds), "price")
)

as_codes <- function(table) as.data.frame(lapply(table, as.numeric))

for (name in names(tables)) {
  table <- tables[[name]]
  is_test <- seq_len(nrow(table)) %% 5 == 0
  parts <- list(train = table[!is_test, ], test = table[is_test, ])
  for (part in names(parts)) {
    path <- file.path(folder, paste0(name, "-", part))
    write.csv(parts[[part]], paste0(path, ".csv"), row.names = FALSE)
    write.csv(as_codes(parts[[part]]), paste0(path, "-codes.csv"), row.names = FALSE)
  }
  saveRDS(parts, file.path(folder, paste0(name, ".rds")))
}
