/* SPDX-License-Identifier: GPL-2.0 */
/* Load and unload of selfheal.ko by system call. */
#ifndef GUEST_MODULE_H
#define GUEST_MODULE_H

#include <stdbool.h>

bool module_loaded(void);
/* Path of the module for the running kernel, or NULL with the places tried on stdout. */
const char *module_path(void);
/* 0 or -errno. Loading a loaded module is 0. */
int module_load(void);
/* One try: 0 or -errno (-EWOULDBLOCK while in use). */
int module_unload(void);
/* Tries until the last dying member has let go, or the bound. */
int module_unload_wait(int ms);

/* Any other module: 0 or -errno. */
int module_insert(const char *path, const char *args);
int module_remove(const char *name);
/* Of ours in /proc and /sys after an unload: the place, or NULL. */
const char *module_left_behind(void);

/*
 * Start of a test program: prints a skip and exits where tests cannot run,
 * loads the module when needed. End: leaves it as found; the exit status.
 */
void guest_begin(void);
int guest_end(int status);

#endif
