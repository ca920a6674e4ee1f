// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command under the program of lsm.bpf.c, as libbpf's documentation recommends to load one.
 *
 *	lsm_run OBJECT CGROUP DENIED COMMAND...
 *
 * CGROUP is a directory of cgroup2, made and removed again; DENIED the mask of what its members may
 * not do (see lsm.bpf.c). The command is the only member, and its exit status is ours.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void attach(const char *path, unsigned long long cgroup, unsigned int mask)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;

	if (!object || bpf_object__load(object))
		err(2, "%s", path);
	bpf_object__for_each_program(program, object) {
		if (!bpf_program__attach_lsm(program))
			err(2, "%s: %s", path, bpf_program__name(program));
	}
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "denied"), &cgroup, &mask,
				BPF_ANY))
		err(2, "map");
}

static void enter(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(2, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	struct stat st;
	int status;
	pid_t pid;

	if (argc < 5)
		errx(2, "usage: lsm_run OBJECT CGROUP DENIED COMMAND...");
	if (mkdir(argv[2], 0755) || stat(argv[2], &st))
		err(2, "%s", argv[2]);
	/* A cgroup's number is that of its directory. */
	attach(argv[1], st.st_ino, strtoul(argv[3], NULL, 0));
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid) {
		enter(argv[2]);
		execvp(argv[4], argv + 4);
		_exit(errno == EPERM ? 126 : 127);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(2, "waitpid");
	if (rmdir(argv[2]))
		err(2, "%s", argv[2]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
