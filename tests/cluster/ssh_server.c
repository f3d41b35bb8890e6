#include "ssh_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { ATTEMPTS = 200 };

static const char run_folder[] = "/run/sshd"; /* sshd started by root insists on it */

static int shell(const struct ssh_server *server, const char *format)
{
    char command[2048];
    snprintf(command, sizeof command, "cd '%s' && %s", server->folder.folder, format);
    return system(command);
}

/* A port nobody listens on now. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void write_server_config(struct ssh_server *server)
{
    FILE *file = fopen(scratch_path(&server->folder, "sshd_config"), "w");
    assert_non_null(file);
    const char *folder = server->folder.folder;
    fprintf(file,
            "ListenAddress 127.0.0.1\nListenAddress 127.0.0.2\nListenAddress 127.0.0.3\n"
            "ListenAddress 127.0.0.4\nListenAddress 127.0.0.5\nPort %d\nHostKey "
            "%s/host_key\nAuthorizedKeysFile %s/key.pub\n"
            "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\n",
            server->port, folder, folder);
    assert_int_equal(fclose(file), 0);
}

/* An address each: connections are shared by address. */
static void write_host(FILE *file, const struct ssh_server *server, const char *name, int number, int port,
                       const char *key, const char *known)
{
    const char *folder = server->folder.folder;
    fprintf(file,
            "Host %s\n HostName 127.0.0.%d\n Port %d\n IdentityFile %s/%s\n UserKnownHostsFile %s/%s\n"
            " IdentitiesOnly yes\n IdentityAgent none\n GlobalKnownHostsFile none\n HostKeyAlias server\n",
            name, number, port, folder, key, folder, known);
}

static void write_client_config(struct ssh_server *server)
{
    FILE *file = fopen(scratch_path(&server->folder, "ssh_config"), "w");
    assert_non_null(file);
    write_host(file, server, "good", 1, server->port, "key", "known");
    write_host(file, server, "second", 2, server->port, "key", "known");
    write_host(file, server, "stranger", 3, server->port, "key", "known_nobody");
    write_host(file, server, "changed", 4, server->port, "key", "known_other");
    write_host(file, server, "wrong-key", 5, server->port, "other_key", "known");
    write_host(file, server, "closed", 6, free_port(), "key", "known");
    assert_int_equal(fclose(file), 0);
}

static void make_keys(struct ssh_server *server)
{
    int failed = shell(server, "for k in key other_key host_key other_host_key; do "
                               "ssh-keygen -q -t ed25519 -N '' -C test -f $k || exit 1; done; "
                               "echo server $(cat host_key.pub) >known; "
                               "echo server $(cat other_host_key.pub) >known_other; : >known_nobody");
    assert_int_equal(failed, 0);
}

static bool answers(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) close(fd);
    return connected;
}

static void launch(struct ssh_server *server)
{
    char config[512], log[512];
    snprintf(config, sizeof config, "%s/sshd_config", server->folder.folder);
    snprintf(log, sizeof log, "%s/sshd.log", server->folder.folder);
    if (geteuid() == 0) server->made_run_folder = mkdir(run_folder, 0755) == 0;
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-f", config, "-E", log, (char *)NULL);
        _exit(127);
    }
    const struct timespec pause = {.tv_nsec = 20000000};
    for (unsigned i = 0; i < ATTEMPTS && !answers(server->port); i++) nanosleep(&pause, NULL);
    if (!answers(server->port)) {
        shell(server, "cat sshd.log");
        fail_msg("sshd does not answer on port %d", server->port);
    }
}

bool ssh_server_start(struct ssh_server *server)
{
    if (access("/usr/sbin/sshd", X_OK) != 0) {
        printf("no sshd here; openssh-server brings it\n");
        return false;
    }
    *server = (struct ssh_server){.folder = scratch_new(), .port = free_port()};
    make_keys(server);
    write_server_config(server);
    write_client_config(server);
    launch(server);
    char command[512];
    snprintf(command, sizeof command, "ssh -F %s/ssh_config", server->folder.folder);
    setenv("BRAMBLE_SSH", command, 1);
    return true;
}

void ssh_server_stop(struct ssh_server *server)
{
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    if (server->made_run_folder) rmdir(run_folder);
    unsetenv("BRAMBLE_SSH");
    scratch_remove(&server->folder);
}
