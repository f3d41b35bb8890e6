#include "data/image_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

enum { IMAGE_CLASSES_MAX = 65000 }; /* what a column of texts has room for */

/* The names in a folder, sorted. */
struct names {
    size_t n, room;
    char **names;
};

static void names_fini(struct names *names)
{
    for (size_t i = 0; i < names->n; i++) mem_free(names->names[i]);
    mem_free(names->names);
}

/* Takes over `name`, also when it fails. */
static bool names_add(struct names *names, char *name)
{
    if (name && names->n == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        char **more = mem_resize(names->names, room, sizeof *more);
        if (!more) {
            mem_free(name);
            return false;
        }
        names->names = more;
        names->room = room;
    }
    if (name) names->names[names->n++] = name;
    return name != NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(const char *folder, const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", folder, name);
    return str_take(&path);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_image_name(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(endings[i]);
        if (n > length && strcasecmp(name + n - length, endings[i]) == 0) return true;
    }
    return false;
}

static bramble_status folder_open(DIR **out, const char *folder, bramble_error *error)
{
    *out = opendir(folder);
    if (*out) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot look into this folder: %s; check its permissions",
                     folder, strerror(errno));
}

/* Paths of the folders, or else of the images, in a folder; hidden ones do not count. */
static bramble_status list(struct names *out, const char *folder, bool folders, bramble_error *error)
{
    DIR *dir;
    bramble_status status = folder_open(&dir, folder, error);
    if (status) return status;
    size_t before = out->n;
    for (struct dirent *entry; !status && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || (!folders && !is_image_name(entry->d_name))) continue;
        char *path = join(folder, entry->d_name);
        if (path && is_folder(path) != folders)
            mem_free(path);
        else if (!names_add(out, path))
            status = error_memory(error, "the names of the images");
    }
    closedir(dir);
    if (out->n > before) qsort(out->names + before, out->n - before, sizeof *out->names, compare_names);
    return status;
}

/* Whether there is an image in the folder or, with depth 1, in one in it. */
static bramble_status look_for_image(bool *found, const char *folder, int depth, bramble_error *error)
{
    struct names names = {0};
    bramble_status status = list(&names, folder, false, error);
    *found = names.n > 0;
    names_fini(&names);
    if (status || *found || !depth) return status;
    names = (struct names){0};
    status = list(&names, folder, true, error);
    for (size_t i = 0; !status && !*found && i < names.n; i++)
        status = look_for_image(found, names.names[i], depth - 1, error);
    names_fini(&names);
    return status;
}

/* The folder in `folder` under the first of these names that holds images; *out is NULL when there is none.
 */
static bramble_status find_part(char **out, const char *folder, const char *const *names,
                                bramble_error *error)
{
    *out = NULL;
    for (; *names; names++) {
        char *path = join(folder, *names);
        if (!path) return error_memory(error, "a file name");
        bool found = false;
        bramble_status status = is_folder(path) ? look_for_image(&found, path, 1, error) : BRAMBLE_OK;
        if (!status && found)
            *out = path;
        else
            mem_free(path);
        if (status || found) return status;
    }
    return BRAMBLE_OK;
}

/* The training part and beside it a test part; NULL where there is none. */
static bramble_status find_parts(char **train, char **test, const char *folder, bramble_error *error)
{
    static const char *const train_names[] = {"train", NULL}, *const test_names[] = {"test", "val", "valid",
                                                                                     "validation", NULL};
    *test = NULL;
    bramble_status status = find_part(train, folder, train_names, error);
    if (!status && *train) status = find_part(test, folder, test_names, error);
    if (!status) return status;
    mem_free(*train);
    *train = NULL;
    return status;
}

bool image_files_are_there(const char *folder)
{
    char *train, *test;
    bool found = false;
    if (find_parts(&train, &test, folder, NULL)) return false;
    bool there = train || (!look_for_image(&found, folder, 1, NULL) && found);
    mem_free(train);
    mem_free(test);
    return there;
}

bool image_files_has_test(const char *folder)
{
    char *train, *test;
    if (find_parts(&train, &test, folder, NULL)) return false;
    bool both = test != NULL;
    mem_free(train);
    mem_free(test);
    return both;
}

/* Where the images of a split are; *out is the caller's to free. */
static bramble_status choose_part(char **out, const char *folder, bramble_split split, bramble_error *error)
{
    char *train, *test;
    bramble_status status = find_parts(&train, &test, folder, error);
    if (status) return status;
    char *part = split == BRAMBLE_SPLIT_TEST ? test : train ? train : mem_strdup(folder);
    mem_free(split == BRAMBLE_SPLIT_TEST ? train : test);
    if (part)
        *out = part;
    else if (split == BRAMBLE_SPLIT_TEST)
        status = error_set(error, BRAMBLE_ERR_DATA,
                           "%s: no test part (a folder \"test\" or \"val\" beside \"train\") in this folder; "
                           "add it, or name test data of their own",
                           folder);
    else
        status = error_memory(error, "a file name");
    return status;
}

/* A class and its images; a folder without images is no class. */
static bramble_status add_class(struct names *paths, struct names *classes, struct image_files *out,
                                const char *folder, bramble_error *error)
{
    size_t before = paths->n;
    bramble_status status = list(paths, folder, false, error);
    if (status || paths->n == before) return status;
    if (classes->n == IMAGE_CLASSES_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: the images have more than %d classes; leave out some",
                         folder, IMAGE_CLASSES_MAX);
    uint16_t *class = mem_resize(out->class, paths->n, sizeof *class);
    if (!class) return error_memory(error, "the names of the images");
    out->class = class;
    for (size_t i = before; i < paths->n; i++) class[i] = (uint16_t)classes->n;
    if (!names_add(classes, mem_strdup(strrchr(folder, '/') + 1)))
        return error_memory(error, "the names of the classes");
    return BRAMBLE_OK;
}

static bramble_status find_classes(struct names *paths, struct names *classes, struct image_files *out,
                                   const char *folder, bramble_error *error)
{
    struct names folders = {0};
    bramble_status status = list(&folders, folder, true, error);
    for (size_t i = 0; !status && i < folders.n; i++)
        status = add_class(paths, classes, out, folders.names[i], error);
    names_fini(&folders);
    return status;
}

static bramble_status find_in(struct names *paths, struct names *classes, struct image_files *out,
                              const char *folder, bramble_error *error)
{
    bramble_status status = find_classes(paths, classes, out, folder, error);
    bool classless = !status && paths->n == 0;
    if (classless) status = list(paths, folder, false, error);
    if (status || paths->n) return status;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: no PNG or JPEG images in folders named after their classes in this folder; name "
                     "another",
                     folder);
}

static bramble_status find_paths(struct names *paths, struct names *classes, struct image_files *out,
                                 const char *path, bramble_split split, bramble_error *error)
{
    if (is_folder(path)) {
        char *part = NULL;
        bramble_status status = choose_part(&part, path, split, error);
        if (status) return status;
        status = find_in(paths, classes, out, part, error);
        mem_free(part);
        return status;
    }
    if (split == BRAMBLE_SPLIT_TEST)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: one image has no test part; name the folder that holds both parts", path);
    return names_add(paths, mem_strdup(path)) ? BRAMBLE_OK : error_memory(error, "a file name");
}

bramble_status image_files_find(struct image_files *out, const char *path, bramble_split split,
                                bramble_error *error)
{
    struct names paths = {0}, classes = {0};
    *out = (struct image_files){0};
    bramble_status status = find_paths(&paths, &classes, out, path, split, error);
    out->n = paths.n;
    out->paths = paths.names;
    out->n_classes = (uint32_t)classes.n;
    out->classes = classes.names;
    if (status) image_files_fini(out);
    return status;
}

void image_files_fini(struct image_files *files)
{
    for (size_t i = 0; i < files->n; i++) mem_free(files->paths[i]);
    for (uint32_t c = 0; c < files->n_classes; c++) mem_free(files->classes[c]);
    mem_free(files->paths);
    mem_free(files->class);
    mem_free(files->classes);
    *files = (struct image_files){0};
}
