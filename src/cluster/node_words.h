/*
 * The values of a node's or a cluster's settings: from a file's text, checked, and back. What cluster.ini
 * says and what a caller hands over go through the same checks.
 */
#ifndef CLUSTER_NODE_WORDS_H
#define CLUSTER_NODE_WORDS_H

#include "base/str.h"
#include "cluster/cluster.h"

enum { NODE_WORD_MAX = 255 };

/* Each is true when the text is fine; the second word of the parsers is filled then. */
bool node_host_valid(const char *host); /* a name or an address, never an option or a shell's word */
bool node_name_valid(const char *name);
bool node_user_valid(const char *user);
bool node_program_valid(const char *path);                     /* absolute, or under "~/" */
bool node_cores_parse(const char *text, uint32_t *cores);      /* "4"; "all" is 0 */
bool node_memory_parse(const char *text, uint64_t *bytes);     /* "2 GB", "512 MB", "1.5GiB" */
bool node_switch_parse(const char *text, bool *on);            /* yes, no */
bool cluster_ports_parse(const char *text, uint16_t ports[2]); /* "46000-46999" */
bool cluster_network_valid(const char *text);                  /* "192.168.1.0/24" */

/* "2 GB" when that is exact, in the largest unit that is; read back it is the same number. */
void node_memory_print(struct str *out, uint64_t bytes);

/* "user@host" or "host" into two texts (mem_free both; *user NULL without one); false when it is neither or
 * memory is out (then *host is NULL and *short_of_memory true). */
bool node_address_split(const char *text, char **user, char **host, bool *short_of_memory);

/* True when `host` names this machine: localhost, its own name or one of its own addresses. Asks no server.
 */
bool host_is_own(const char *host);

/* cluster_append with what its messages begin with: "cluster.ini: line 7". */
bramble_status cluster_append_from(struct cluster *cluster, const struct node *node, const char *where,
                                   bramble_error *error);

/* This machine's name up to the first dot, always valid as a node's name. */
void own_name(char *buffer, size_t size);

#endif
