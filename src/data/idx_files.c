#include "data/idx_files.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* "train-" and "images" find "train-images-idx3-ubyte", "train-images.idx3-ubyte.gz" and "train-images". */
static bool name_fits(const char *name, const char *prefix, size_t prefix_length, const char *noun)
{
    size_t length = strlen(noun);
    if (strncmp(name, prefix, prefix_length) != 0 || strncmp(name + prefix_length, noun, length) != 0)
        return false;
    const char *rest = name + prefix_length + length;
    return strncmp(rest, "-idx", 4) == 0 || strncmp(rest, ".idx", 4) == 0 || !*rest || !strcmp(rest, ".gz");
}

/* Plain files before packed ones, then by name: the choice must not hang on the order of the folder. */
static bool better(const char *name, const char *than)
{
    bool packed = strstr(name, ".gz") != NULL, other = strstr(than, ".gz") != NULL;
    return packed != other ? other : strcmp(name, than) < 0;
}

/* The path of the file in `folder` that fits best, NULL in *out when there is none. */
static bramble_status find(char **out, const char *folder, const char *prefix, size_t prefix_length,
                           const char *noun, bramble_error *error)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot look into this folder: %s; check its permissions",
                         folder, strerror(errno));
    char best[sizeof((struct dirent *)NULL)->d_name] = "";
    for (struct dirent *entry; (entry = readdir(dir));)
        if (name_fits(entry->d_name, prefix, prefix_length, noun) && (!*best || better(entry->d_name, best)))
            memcpy(best, entry->d_name, strlen(entry->d_name) + 1);
    closedir(dir);
    *out = NULL;
    if (!*best) return BRAMBLE_OK;
    struct str path = {0};
    str_printf(&path, "%s/%s", folder, best);
    *out = str_take(&path);
    return *out ? BRAMBLE_OK : error_memory(error, "a file name");
}

static bramble_status find_part(struct idx_files *out, const char *folder, const char *prefix,
                                size_t prefix_length, bramble_error *error)
{
    struct idx_files part = {0};
    bramble_status status = find(&part.images, folder, prefix, prefix_length, "images", error);
    if (!status) status = find(&part.labels, folder, prefix, prefix_length, "labels", error);
    if (status)
        idx_files_fini(&part);
    else
        *out = part;
    return status;
}

static bool is_empty(const struct idx_files *files)
{
    return !files->images && !files->labels;
}

/* Both parts of a folder; a test part is named t10k or test. */
static bramble_status find_both(struct idx_files parts[2], const char *folder, bramble_error *error)
{
    bramble_status status = find_part(&parts[0], folder, "train-", 6, error);
    if (!status) status = find_part(&parts[1], folder, "t10k-", 5, error);
    if (!status && is_empty(&parts[1])) status = find_part(&parts[1], folder, "test-", 5, error);
    return status;
}

static bramble_status from_folder(struct idx_files *out, const char *folder, bramble_split split,
                                  bramble_error *error)
{
    struct idx_files parts[2] = {0};
    bramble_status status = find_both(parts, folder, error);
    bool only_test = is_empty(&parts[0]);
    struct idx_files *wanted = &parts[split == BRAMBLE_SPLIT_TEST || only_test];
    if (!status && split == BRAMBLE_SPLIT_TEST && is_empty(wanted))
        status = error_set(error, BRAMBLE_ERR_DATA,
                           "%s: no test part (t10k-images-idx3-ubyte) in this folder; add it, or name test "
                           "data of their own",
                           folder);
    if (!status && !wanted->images)
        status =
            error_set(error, BRAMBLE_ERR_DATA,
                      "%s: no %s-images-idx3-ubyte (or .gz) in this folder; add it or name another folder",
                      folder, wanted == &parts[0] || is_empty(wanted) ? "train" : "t10k");
    if (!status) {
        *out = *wanted;
        *wanted = (struct idx_files){0};
    }
    idx_files_fini(&parts[0]);
    idx_files_fini(&parts[1]);
    return status;
}

/* Where `noun` stands last in the file's own name, or NULL. */
static const char *last_of(const char *name, const char *noun)
{
    const char *last = NULL;
    for (const char *at = name; (at = strstr(at, noun)); at++) last = at;
    return last;
}

/* The file beside `path` whose name has `noun` where the other word stands at `word`. */
static bramble_status find_beside(char **out, const char *path, const char *name, const char *word,
                                  const char *noun, bramble_error *error)
{
    char *folder = name == path ? mem_strdup(".") : mem_strndup(path, (size_t)(name - path));
    if (!folder) return error_memory(error, "a file name");
    bramble_status status = find(out, folder, name, (size_t)(word - name), noun, error);
    mem_free(folder);
    return status;
}

static bramble_status from_labels(struct idx_files *files, const char *path, const char *name,
                                  const char *word, bramble_error *error)
{
    bramble_status status = find_beside(&files->images, path, name, word, "images", error);
    if (status) return status;
    if (!files->images)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: no images file (%.*simages-idx3-ubyte) beside these labels; put it there", path,
                         (int)(word - name), name);
    files->labels = mem_strdup(path);
    return files->labels ? BRAMBLE_OK : error_memory(error, "a file name");
}

static bramble_status from_file(struct idx_files *files, const char *path, bramble_error *error)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *images = last_of(name, "images"), *labels = last_of(name, "labels");
    if (!images && labels) return from_labels(files, path, name, labels, error);
    bramble_status status = BRAMBLE_OK;
    if (images) status = find_beside(&files->labels, path, name, images, "labels", error);
    if (status) return status;
    files->images = mem_strdup(path);
    return files->images ? BRAMBLE_OK : error_memory(error, "a file name");
}

bramble_status idx_files_find(struct idx_files *out, const char *path, bramble_split split,
                              bramble_error *error)
{
    *out = (struct idx_files){0};
    if (is_folder(path)) return from_folder(out, path, split, error);
    if (split == BRAMBLE_SPLIT_TEST)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: one file has no test part; name the folder that holds both parts", path);
    bramble_status status = from_file(out, path, error);
    if (status) idx_files_fini(out);
    return status;
}

void idx_files_fini(struct idx_files *files)
{
    mem_free(files->images);
    mem_free(files->labels);
    *files = (struct idx_files){0};
}

bool idx_files_are_there(const char *folder)
{
    struct idx_files parts[2] = {0};
    bool there =
        find_both(parts, folder, NULL) == BRAMBLE_OK && (!is_empty(&parts[0]) || !is_empty(&parts[1]));
    idx_files_fini(&parts[0]);
    idx_files_fini(&parts[1]);
    return there;
}

bool idx_files_has_test(const char *folder)
{
    struct idx_files parts[2] = {0};
    bool both = is_folder(folder) && find_both(parts, folder, NULL) == BRAMBLE_OK && parts[0].images &&
                parts[1].images;
    idx_files_fini(&parts[0]);
    idx_files_fini(&parts[1]);
    return both;
}
