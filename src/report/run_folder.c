#include "report/run_folder.h"

#include <errno.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/str.h"

enum { ID_MAX = 64, OPEN_FOLDERS_MAX = 16 };

static const char *home_of_user(void)
{
    const char *home = getenv("HOME");
    if (home && home[0] == '/') return home;
    const struct passwd *user = getpwuid(getuid());
    return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

/* The folder's name as the environment has it; a relative one counts from here. */
static void put_home(struct str *path)
{
    const char *ours = getenv("BRAMBLE_HOME"), *data = getenv("XDG_DATA_HOME"), *user = home_of_user();
    if (ours && ours[0]) {
        char *here = ours[0] == '/' ? NULL : getcwd(NULL, 0);
        if (here) str_printf(path, "%s/", here);
        free(here);
        str_puts(path, ours);
    } else if (data && data[0] == '/') {
        str_printf(path, "%s/bramble", data);
    } else if (user) {
        str_printf(path, "%s/.local/share/bramble", user);
    }
}

static bramble_status cannot_make(const char *path, bramble_error *error)
{
    if (errno == ENOMEM) return error_memory(error, "a folder");
    return error_set(error, BRAMBLE_ERR_IO,
                     "%s: cannot make this folder: %s; set BRAMBLE_HOME to one that is yours", path,
                     strerror(errno));
}

static bramble_status make_folders(const char *path, bramble_error *error)
{
    return folders_make(path) ? BRAMBLE_OK : cannot_make(path, error);
}

bramble_status run_home(char **out, bool create, bramble_error *error)
{
    struct str path = {0};
    put_home(&path);
    if (!path.data && !path.failed)
        return error_set(
            error, BRAMBLE_ERR_IO,
            "there is no home folder to keep runs in; set BRAMBLE_HOME to a folder that is yours");
    char *home = str_take(&path);
    if (!home) return error_memory(error, "the run store's name");
    bramble_status status = create ? make_folders(home, error) : BRAMBLE_OK;
    if (status)
        mem_free(home);
    else
        *out = home;
    return status;
}

char *run_folder_path(const char *home, const char *id)
{
    struct str path = {0};
    str_printf(&path, "%s/runs/%s", home, id);
    return str_take(&path);
}

bramble_status run_folder_make(const char *home, const char *id, bool *made, bramble_error *error)
{
    char *path = run_folder_path(home, id);
    if (!path) return error_memory(error, "the run's folder");
    char *name = strrchr(path, '/');
    *name = 0;
    bramble_status status = make_folders(path, error);
    *name = '/';
    if (!status) {
        *made = mkdir(path, 0700) == 0;
        if (!*made && errno != EEXIST) status = cannot_make(path, error);
    }
    mem_free(path);
    return status;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)at;
    return type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
}

bramble_status run_folder_remove(const char *home, const char *id, bramble_error *error)
{
    char *path = run_folder_path(home, id);
    if (!path) return error_memory(error, "the run's folder");
    bramble_status status = BRAMBLE_OK;
    if (nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        status = error_set(error, BRAMBLE_ERR_IO, "%s: cannot remove this folder: %s; remove it by hand",
                           path, strerror(errno));
    mem_free(path);
    return status;
}

bool run_id_valid(const char *id)
{
    size_t length = strlen(id);
    return length && length <= ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}
