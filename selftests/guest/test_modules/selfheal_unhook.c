// SPDX-License-Identifier: GPL-2.0
/*
 * For guest/test_watch: what a kernel rootkit would do to a hook. Overwrites
 * the call at the entry of the function @symbol with a no-op behind ftrace's
 * back, and puts it back when it is unloaded.
 */
#include <asm/nops.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#define INSN_CALL	0xe8
#define INSN_SIZE	5
#define ENDBR_SIZE	4

static char *symbol = "pipe_write";
module_param(symbol, charp, 0444);

static void (*poke)(void *addr, const void *opcode, size_t len, const void *emulate);
static struct mutex *text;
static u8 *entry, saved[INSN_SIZE];

static void *lookup(const char *name)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long (*find)(const char *name);

	if (register_kprobe(&kp))
		return NULL;
	unregister_kprobe(&kp);
	find = (void *)kp.addr;
	return (void *)find(name);
}

static void write_entry(const void *insn)
{
	mutex_lock(text);
	poke(entry, insn, INSN_SIZE, NULL);
	mutex_unlock(text);
}

static int __init unhook_init(void)
{
	static const u8 nop[] = { BYTES_NOP5 };

	poke = lookup("text_poke_bp");
	text = lookup("text_mutex");
	entry = lookup(symbol);
	if (!poke || !text || !entry)
		return -ENOENT;
	if (*entry != INSN_CALL)
		entry += ENDBR_SIZE;
	if (*entry != INSN_CALL)
		return -EINVAL;
	memcpy(saved, entry, INSN_SIZE);
	write_entry(nop);
	return 0;
}

static void __exit unhook_exit(void)
{
	write_entry(saved);
}

module_init(unhook_init);
module_exit(unhook_exit);

MODULE_DESCRIPTION("Test of selfheal: takes a hook away");
MODULE_LICENSE("GPL");
