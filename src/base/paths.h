/* Folders made and removed, and where this program is. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <stdbool.h>

/* Makes the folder and those above it that are not there, for this user alone. False: errno says why. */
bool folders_make(const char *path);

/* Removes a folder and the files in it; one with folders in it stays. */
void folder_remove(const char *path);

/* The program that runs, as an absolute path; mem_free it. NULL: not known, or out of memory. */
char *program_path(void);

#endif
