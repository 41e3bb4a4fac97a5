/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * layerbox.h - many small, long-lived Linux containers on one shared base
 *
 * This is the whole interface of liblayerbox; the command line tool uses nothing else.
 *
 * CONVENTIONS
 *
 * Results. A function that can fail returns an int: 0 when it changed what it was asked to change, 1 when
 * there was nothing to do (starting what runs already), and a negative code when it failed: a negative
 * errno, or one of the codes of enum lb_error, negated. lb_context_error() then holds a sentence for a
 * person: what failed, on which object, why, and what to do.
 *
 * Ownership. What a `ret_` parameter receives belongs to the caller, and is written only on success.
 * Strings that a getter returns belong to the object they were asked from and live as long as it does.
 *
 * Structs given in begin with `size`, set to sizeof(struct ...): that is how later versions add fields.
 * A size smaller than the first published one, or a non-zero byte in a part this version does not know,
 * is refused with -EINVAL.
 *
 * Threads. A context and everything made from it belong to one thread at a time; any number of contexts
 * may be used in parallel, for the same root and even the same container: processes and threads exclude
 * one another with flock(2) on the root and on each container's directory. The library keeps no global
 * state, prints nothing, never exits, and installs no signal handlers. Whatever starts, stops or enters a
 * container runs in a helper process, because liblxc forks and keeps process-wide locks.
 *
 * Rights. Everything that changes something needs root in the initial user namespace; so does looking at
 * containers and bases, whose directories are not for everyone.
 */
#ifndef LAYERBOX_H
#define LAYERBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library this header belongs to. */
#define LAYERBOX_VERSION "0.1.0"

/** lb_version - the version of the library that runs, as "MAJOR.MINOR.PATCH". */
const char *lb_version(void);

/* ------------------------------------------------------------------------------------------ errors */

/**
 * enum lb_error - what can go wrong beyond errno; functions return these negated.
 *
 * The command line tool's exit codes are made from them: see layerbox(8), EXIT STATUS.
 */
enum lb_error {
	LB_ERR_BAD_NAME = 5000,       /* not a DNS label of lower-case letters, digits and inner dashes */
	LB_ERR_BAD_VALUE,             /* a key that does not exist, or a value it cannot have */
	LB_ERR_NO_CONTAINER,          /* there is no container of that name */
	LB_ERR_EXISTS,                /* the name, address or port is taken */
	LB_ERR_RUNNING,               /* not while the container runs */
	LB_ERR_NOT_RUNNING,           /* only while the container runs */
	LB_ERR_NO_BASE,               /* there is no such base, generation or recipe */
	LB_ERR_BASE_IN_USE,           /* a container stands on that base */
	LB_ERR_BAD_CONFIG,            /* a file of settings that cannot be read; the text says file:line */
	LB_ERR_NOT_ROOT,              /* needs root (CAP_SYS_ADMIN in the initial user namespace) */
	LB_ERR_KERNEL,                /* the kernel lacks overlayfs or idmapped mounts for it */
	LB_ERR_NETWORK,               /* the bridge is missing, not ours, or could not be made */
	LB_ERR_NO_PROGRAM,            /* a program that is needed is not installed */
	LB_ERR_PROGRAM_FAILED,        /* a program that was run failed; the text has its words */
	LB_ERR_RUNTIME,               /* LXC could not do it; the text has the cause from its log */
	LB_ERR_BUSY,                  /* someone else holds the lock */
	LB_ERR_TIMEOUT,               /* it did not happen in the given time */
	LB_ERR_EXHAUSTED,             /* no address or id range is left */
	LB_ERR_DAMAGED,               /* something on disk is not as it must be */
	LB_ERR_NO_NETWORK,            /* there is no network of that name */
	LB_ERR_CONFLICT,              /* a rebase or an undo would need somebody's decision; nothing was changed */
	LB_ERR_UNHEALTHY,             /* its check fails, or it did not come up well after a rebase, which was undone */
	LB_ERR_NO_SNAPSHOT,           /* there is no snapshot, or backup, of that name */
	LB_ERR_BAD_STREAM,            /* a stream or an image is damaged, cut off or not to be trusted; the text says where */
	LB_ERR_BASE_DIFFERS,          /* a base of that name has other content here */
	LB_ERR_NO_REPOSITORY,         /* no repository for backups is set, or it cannot be reached or is locked */
	LB_ERR_LAST_ = 0x7fffffff,    /* pads the enum to 32 bits */
};

/** lb_error_name - a stable, short word for a result code, such as "no-container" or "ENOSPC". */
const char *lb_error_name(int code);

/* ----------------------------------------------------------------------------------------- context */

struct lb_context;

/** enum lb_log_level - how much a message matters; the numbers are those of syslog(3). */
enum lb_log_level {
	LB_LOG_ERROR = 3,
	LB_LOG_WARNING = 4,
	LB_LOG_INFO = 6,
	LB_LOG_DEBUG = 7,
	LB_LOG_LAST_ = 0x7fffffff,
};

/**
 * lb_log_fn - receives what the library has to say beside its result.
 * @message: one line, without a newline; valid during the call only
 */
typedef void (*lb_log_fn)(enum lb_log_level level, const char *message, void *userdata);

/**
 * lb_progress_fn - receives how far a long work has come.
 * @step:    what is being done, for people ("installing packages"); valid during the call only
 * @percent: 0 to 100, or -1 where it cannot be known
 */
typedef void (*lb_progress_fn)(const char *step, int percent, void *userdata);

/** struct lb_context_options - how a context is made; unset members (NULL) mean the defaults. */
struct lb_context_options {
	size_t size;
	const char *root;             /* default: `root =` of the config file, else /var/lib/layerbox */
	const char *config_file;      /* default: /etc/layerbox/layerbox.conf, which may be missing */
};

/**
 * lb_context_new - read the configuration and make a context.
 * @options: NULL for the defaults
 *
 * Touches nothing on disk, and does not look at the environment. On failure *@ret_context is still set where
 * memory allowed, so that lb_context_error() can be asked why; free it in every case.
 *
 * Errors: -LB_ERR_BAD_CONFIG, -LB_ERR_BAD_VALUE (the root is not an absolute path, or has characters that
 * mean something to LXC or overlayfs), -ENOMEM, -EINVAL; -ENOENT when a config_file was named and is missing.
 */
int lb_context_new(const struct lb_context_options *options, struct lb_context **ret_context);

/** lb_context_free - free a context; NULL is allowed. Free what was made from it first. */
void lb_context_free(struct lb_context *context);

/** lb_context_error - the sentence that belongs to the last failure; "" when nothing has failed. */
const char *lb_context_error(const struct lb_context *context);

/** lb_context_root - the directory that holds everything of this host, an absolute path. */
const char *lb_context_root(const struct lb_context *context);

/** lb_context_set_log - where messages go; NULL (the default) drops them. */
void lb_context_set_log(struct lb_context *context, lb_log_fn fn, void *userdata);

/** lb_context_set_progress - where progress goes; NULL (the default) drops it. */
void lb_context_set_progress(struct lb_context *context, lb_progress_fn fn, void *userdata);

/**
 * lb_root_prepare - make the root's directories and what is rendered once for all containers.
 *
 * Needed once before anything else is made; safe to repeat. Returns 0, or 1 when nothing was missing.
 */
int lb_root_prepare(struct lb_context *context);

/* -------------------------------------------------------------------------------------- containers */

struct lb_container;

/** enum lb_state - what a container is doing; asked from the container's LXC monitor. */
enum lb_state {
	LB_STATE_STOPPED,
	LB_STATE_STARTING,
	LB_STATE_RUNNING,
	LB_STATE_STOPPING,
	LB_STATE_FROZEN,
	LB_STATE_ABORTING,
	LB_STATE_LAST_ = 0x7fffffff,
};

/** lb_state_name - "stopped", "starting", "running", "stopping", "frozen" or "aborting". */
const char *lb_state_name(enum lb_state state);

/**
 * lb_name_check - is this a name for a container or a base?
 *
 * Lower-case letters, digits and inner dashes, 1 to 63 characters: a DNS label (RFC 1123, section 2.1) in
 * lower case, so that it can be a host name, a file name and a DHCP name alike.
 *
 * Errors: -LB_ERR_BAD_NAME, with the rule in the sentence.
 */
int lb_name_check(struct lb_context *context, const char *name);

/** struct lb_create_options - what a new container shall be; unset members mean the defaults. */
struct lb_create_options {
	size_t size;
	const char *base;             /* NAME or NAME@GENERATION; default: `base =` of the config file */
	const char *description;      /* default: none */
	bool privileged;              /* default: unprivileged, with an id range of its own */
	const char *network;          /* default: `bridge =` of the config file */
	bool is_static;               /* the address stands in its files, no DHCP server is asked; default: by DHCP */
};

/**
 * lb_container_create - make a container: a top layer, an address, an id range, a name.
 * @options:       NULL for the defaults
 * @ret_container: may be NULL
 *
 * Either all of it is there afterwards or nothing is. Of two calls for one name one wins.
 *
 * Errors: -LB_ERR_BAD_NAME, -LB_ERR_EXISTS, -LB_ERR_NO_BASE, -LB_ERR_KERNEL, -LB_ERR_EXHAUSTED, -ENOSPC ...
 */
int lb_container_create(struct lb_context *context, const char *name, const struct lb_create_options *options,
			struct lb_container **ret_container);

/** lb_container_open - read what is known of one container. Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_BAD_CONFIG. */
int lb_container_open(struct lb_context *context, const char *name, struct lb_container **ret_container);

/** lb_container_free - free a handle; NULL is allowed. The container itself is not touched. */
void lb_container_free(struct lb_container *container);

/**
 * lb_container_list - every container of the root, by name.
 * @ret_containers: a NULL-terminated array; free it with lb_container_list_free()
 * @ret_count:      may be NULL
 *
 * A container whose record cannot be read is left out and reported as a warning to the log.
 */
int lb_container_list(struct lb_context *context, struct lb_container ***ret_containers, size_t *ret_count);

/** lb_container_list_free - free a list and its handles, which are never freed alone; NULL is allowed. */
void lb_container_list_free(struct lb_container **containers);

/** lb_container_get_name - its name, which is also its host name and its directory's. */
const char *lb_container_get_name(const struct lb_container *container);
/** lb_container_get_base - the base's name, without a generation. */
const char *lb_container_get_base(const struct lb_container *container);
/** lb_container_get_rebased_from - "BASE@GENERATION" where its last rebase can still be undone, else "". */
const char *lb_container_get_rebased_from(const struct lb_container *container);
/** lb_container_get_rebase_to - where its next start will rebase it to, else "". */
const char *lb_container_get_rebase_to(const struct lb_container *container);
/** lb_container_get_generation - the generation of the base that it stands on, from 1. */
unsigned lb_container_get_generation(const struct lb_container *container);
/** lb_container_get_state - as it was when the handle was made or refreshed. */
enum lb_state lb_container_get_state(const struct lb_container *container);
/**
 * lb_container_get_pid - the container's init as the host sees it, 0 when it does not run.
 *
 * As it was when the handle was made or refreshed; those of a list are asked for, together, when the first is wanted.
 */
pid_t lb_container_get_pid(struct lb_container *container);
/** lb_container_get_ipv4 - dotted quad: what DHCP has given it, else what is reserved for it. */
const char *lb_container_get_ipv4(const struct lb_container *container);
/** lb_container_get_network - the name of the network it is on. */
const char *lb_container_get_network(const struct lb_container *container);
/** lb_container_get_mac - six pairs of lower-case hexadecimal digits with colons. */
const char *lb_container_get_mac(const struct lb_container *container);
/** lb_container_get_description - one line that somebody wrote about it, or "". */
const char *lb_container_get_description(const struct lb_container *container);
/** lb_container_get_privileged - is its root the host's root, without an id range of its own? */
bool lb_container_get_privileged(const struct lb_container *container);
/** lb_container_get_autostart - is it meant to be started with the host? */
bool lb_container_get_autostart(const struct lb_container *container);
/** lb_container_get_id_range - first host id and count; 0 and 0 for a privileged container. */
void lb_container_get_id_range(const struct lb_container *container, uint32_t *ret_start, uint32_t *ret_count);
/** lb_container_get_created - seconds since the epoch. */
int64_t lb_container_get_created(const struct lb_container *container);
/** lb_container_get_directory - the absolute path of ROOT/containers/NAME. */
const char *lb_container_get_directory(const struct lb_container *container);

/** lb_container_refresh - ask again for state, pid and address; settings stay as the handle knows them. */
int lb_container_refresh(struct lb_container *container);

/**
 * lb_container_set - change one setting.
 * @key:   description, autostart (yes|no), memory (bytes; K, M, G, T: powers of 1024), cpus (a decimal
 *         number of cores), pids (a count), net.rules (allow CIDR, deny CIDR ...), isolated (yes|no), net.ingress,
 *         net.egress (100Mbit; powers of 1000), health.command, backup.pre, backup.post (a program and its arguments),
 *         snapshot.schedule, snapshot.keep, mount.NAME (SRC:DST[:ro]: a directory or file of the host and where the container
 *         sees it); see layerbox(8), KEYS
 * @value: "" takes a limit away, and leaves isolation to the network, snapshots to layerbox.conf(5)
 *
 * A limit takes effect at once where the container runs. Returns 1 when it had that value already.
 * Errors: -LB_ERR_BAD_VALUE, -LB_ERR_KERNEL (no cgroup controller or token bucket for it on this host),
 * -LB_ERR_NETWORK (its interface is not there).
 */
int lb_container_set(struct lb_container *container, const char *key, const char *value);

/**
 * lb_container_get - one setting as text, "" where it is not set; *@ret_value is the caller's (free(3)).
 *
 * As it was when the handle was made, or last set through it. Errors: -LB_ERR_BAD_VALUE (no such key).
 */
int lb_container_get(struct lb_container *container, const char *key, char **ret_value);

/**
 * lb_container_key - the keys that lb_container_set() knows: the @index-th, or NULL behind the last.
 *
 * Beside these it knows keys with a name of your own in them: mount.NAME.
 */
const char *lb_container_key(size_t index);

/**
 * lb_container_setting - the keys that this container can have set: all of lb_container_key(), and each mount.NAME that
 * it has; the @index-th, or NULL behind the last. Valid until a setting of the handle is changed.
 */
const char *lb_container_setting(const struct lb_container *container, size_t index);

/** struct lb_run_options - how containers are started and stopped; unset members mean the defaults. */
struct lb_run_options {
	size_t size;
	unsigned timeout_s;           /* stop: seconds to wait for a clean shutdown; 0: the default of 60.
				         start: after how many it is given up where it hangs; 0: 120 */
	unsigned jobs;                /* how many at a time, 64 at most; 0: twice the number of processors */
	bool kill;                    /* stop: do not ask first */
	bool comes_back;              /* stop: it is not meant to stay stopped; else the supervisor leaves it so */
	unsigned deadline_s;          /* stop: after so many seconds in all, whoever has not ended is killed; 0: never */
};

/**
 * lb_result_fn - receives the outcome for one container of a call over several.
 * @result: 0, 1 or a negative code, as the call for a single one would return it
 * @error:  the sentence where @result is negative, else ""; valid during the call only
 */
typedef void (*lb_result_fn)(const char *name, int result, const char *error, void *userdata);

/**
 * lb_containers_start - start several containers in parallel, in any order.
 * @names: NULL-terminated
 * @fn:    called once for each name, from this thread; may be NULL
 *
 * Carries on past failures. Returns 0, 1 when all were running already, or the first failure's code: -LB_ERR_TIMEOUT for
 * one that hung and was given up.
 */
int lb_containers_start(struct lb_context *context, const char *const *names, const struct lb_run_options *options,
			lb_result_fn fn, void *userdata);

/**
 * lb_containers_stop - stop several containers in parallel.
 *
 * Each is asked to shut down, and killed when it has not done so within the timeout, or at once with
 * options->kill. Parameters and result as for lb_containers_start(): -LB_ERR_TIMEOUT for one that cannot be killed, whose
 * monitor hangs; it may end later.
 */
int lb_containers_stop(struct lb_context *context, const char *const *names, const struct lb_run_options *options,
		       lb_result_fn fn, void *userdata);

/** lb_container_start - start one; returns 1 when it runs already. @options may be NULL. */
int lb_container_start(struct lb_container *container, const struct lb_run_options *options);

/** lb_container_stop - stop one; returns 1 when it was not running. @options may be NULL. */
int lb_container_stop(struct lb_container *container, const struct lb_run_options *options);

/** lb_container_freeze - stop all its processes where they are; returns 1 when they were. */
int lb_container_freeze(struct lb_container *container);

/** lb_container_thaw - let them run on; returns 1 when they did. */
int lb_container_thaw(struct lb_container *container);

/** enum lb_end - how a container ended. */
enum lb_end {
	LB_END_UNKNOWN,               /* by itself, and there was no supervisor that knows more */
	LB_END_SHUT_DOWN,             /* somebody stopped it with layerbox */
	LB_END_FAILED,
	LB_END_LAST_ = 0x7fffffff,
};

/**
 * lb_container_wait - wait until a running container has ended.
 * @stop_fd: can be read from (poll(2)) when there is no more to wait for; -1: only the end counts
 *
 * A reboot from inside is no end, nor is one after which layerbox starts it again: restart, a rebase, the supervisor.
 * Returns 0 when it has ended, 1 when @stop_fd could be read from before. Errors: -LB_ERR_NOT_RUNNING.
 */
int lb_container_wait(struct lb_container *container, int stop_fd, enum lb_end *ret_end);

/**
 * lb_container_delete - remove a stopped container with all its files, its address and its name.
 * @force: kill it first where it runs
 *
 * By name, since a container whose record cannot be read must be removable, too. Handles of it stay valid for their
 * getters. Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_RUNNING.
 */
int lb_container_delete(struct lb_context *context, const char *name, bool force);

/**
 * lb_container_rename - give a stopped container another name, also inside it.
 *
 * Address, id range and files stay. Errors: -LB_ERR_BAD_NAME, -LB_ERR_EXISTS, -LB_ERR_RUNNING.
 */
int lb_container_rename(struct lb_container *container, const char *new_name);

/** struct lb_exec_options - how a program is run in a container; unset members mean the defaults. */
struct lb_exec_options {
	size_t size;
	const char *const *env;       /* NULL-terminated NAME=VALUE; PATH, HOME and TERM have defaults */
	const char *cwd;              /* default: / */
	uid_t uid;                    /* as the container sees it; default 0 */
	gid_t gid;
	int stdin_fd, stdout_fd, stderr_fd; /* only looked at where use_fds is set; else those of the caller */
	bool use_fds;
	bool tty;                     /* give it a terminal of its own, joined to the caller's */
};

/**
 * lb_container_exec - run a program in a running container and wait for it.
 * @argv:       NULL-terminated; argv[0] is looked up in the container's PATH
 * @ret_status: its exit status, 128 + N when signal N ended it, 127 or 126 when it is not there or could not
 *              be run, 125 when LXC could not enter the container; why stands on its standard error then
 *
 * Errors: -LB_ERR_NOT_RUNNING (also while it is frozen), -LB_ERR_NO_PROGRAM (a helper is missing), -EINVAL.
 */
int lb_container_exec(struct lb_container *container, const char *const *argv, const struct lb_exec_options *options,
		      int *ret_status);

/**
 * lb_container_shell - run the login shell of one of the container's users, as its /etc/passwd says.
 * @user: NULL for root
 *
 * Uses the caller's standard streams, with a terminal of its own where they are one; *@ret_status as for
 * lb_container_exec(). Errors: the same, and -LB_ERR_BAD_VALUE (no such user).
 */
int lb_container_shell(struct lb_container *container, const char *user, int *ret_status);

/**
 * lb_container_console - join the calling terminal to the container's console until Ctrl-a q.
 *
 * Errors: -LB_ERR_NOT_RUNNING, -LB_ERR_RUNTIME (somebody else may be on it).
 */
int lb_container_console(struct lb_container *container);

/**
 * lb_container_push - copy a file or directory of the host into a container, running or not.
 * @source:      path on the host
 * @destination: absolute path in the container; an existing directory or a trailing slash means "into it"
 *
 * What arrives belongs to root of the container and keeps its mode, but for setuid and setgid bits. Links
 * inside the container are followed inside the container only. A file that is there is replaced in one step,
 * a directory never is.
 *
 * Errors: -LB_ERR_BAD_VALUE (the path inside is not absolute), -LB_ERR_PROGRAM_FAILED (the text says why).
 */
int lb_container_push(struct lb_container *container, const char *source, const char *destination);

/** lb_container_pull - the other way: @source is the absolute path in the container, @destination on the host. */
int lb_container_pull(struct lb_container *container, const char *source, const char *destination);

/* ------------------------------------------------------------------------------------------- bases */

struct lb_base;

/** struct lb_base_options - how a base is built or imported; unset members mean the defaults. */
struct lb_base_options {
	size_t size;
	const char *name;             /* default: the recipe's name */
	const char *mirror;           /* URL of a Debian mirror; default: the bootstrap program's own */
};

/**
 * lb_base_build - build the first generation of a base from a recipe.
 * @recipe: the name of a recipe under ROOT/bases or the installed ones, or a path with a slash in it
 *
 * Takes from a second (busybox) to minutes (Debian); progress is reported. A failed or killed build
 * leaves no base behind.
 *
 * Errors: -LB_ERR_EXISTS, -LB_ERR_NO_BASE (no such recipe), -LB_ERR_BAD_CONFIG, -LB_ERR_NO_PROGRAM,
 * -LB_ERR_PROGRAM_FAILED, -ENOSPC.
 */
int lb_base_build(struct lb_context *context, const char *recipe, const struct lb_base_options *options);

/**
 * lb_base_import - make a base from a directory or an archive (any that libarchive can read).
 *
 * The source is copied, made generic (no machine-id, no host keys, no caches) and sealed. Nothing in it is
 * run, and what it holds is not trusted.
 *
 * Errors: -LB_ERR_BAD_NAME, -LB_ERR_EXISTS, -LB_ERR_PROGRAM_FAILED (it cannot be read or unpacked), -EINVAL
 * (it is no system's root, or has no init), -ENOSPC.
 */
int lb_base_import(struct lb_context *context, const char *name, const char *source);

/** lb_base_open - one base, its newest generation. @name may be NAME@GENERATION. Errors: -LB_ERR_NO_BASE. */
int lb_base_open(struct lb_context *context, const char *name, struct lb_base **ret_base);

/** lb_base_free - free a handle; NULL is allowed. The base itself is not touched. */
void lb_base_free(struct lb_base *base);

/** lb_base_list - every base by name, newest generation each; NULL-terminated, lb_base_list_free(). */
int lb_base_list(struct lb_context *context, struct lb_base ***ret_bases, size_t *ret_count);

/**
 * lb_base_list_generations - all generations of a base, oldest first; free with lb_base_list_free().
 * @base: a base's name; NULL for those of all bases
 *
 * Looks at every file of bases with more than one generation, for lb_base_get_own_bytes().
 */
int lb_base_list_generations(struct lb_context *context, const char *base, struct lb_base ***ret_bases,
			     size_t *ret_count);

/** lb_base_list_free - free a list and its handles; NULL is allowed. */
void lb_base_list_free(struct lb_base **bases);

/** lb_base_get_name - its name, without a generation. */
const char *lb_base_get_name(const struct lb_base *base);
/** lb_base_get_generation - the generation that the handle shows, from 1. */
unsigned lb_base_get_generation(const struct lb_base *base);
/** lb_base_get_recipe - the recipe it was built from, or "import". */
const char *lb_base_get_recipe(const struct lb_base *base);
/** lb_base_get_os - PRETTY_NAME of its os-release(5), or "". */
const char *lb_base_get_os(const struct lb_base *base);
/** lb_base_get_created - seconds since the epoch. */
int64_t lb_base_get_created(const struct lb_base *base);
/** lb_base_get_bytes - disk space of the tree when it was sealed, in bytes. */
uint64_t lb_base_get_bytes(const struct lb_base *base);
/**
 * lb_base_get_own_bytes - disk space in bytes that would be free if this generation alone were gone: what no other
 * shares. Known from lb_base_list_generations() only; else what lb_base_get_bytes() says.
 */
uint64_t lb_base_get_own_bytes(const struct lb_base *base);
/** lb_base_get_parent - what a stack was built on, as "NAME@GENERATION"; "" for a base without a parent. */
const char *lb_base_get_parent(const struct lb_base *base);
/** lb_base_get_directory - the absolute path of the tree. */
const char *lb_base_get_directory(const struct lb_base *base);
/**
 * lb_base_get_users - names of the containers that stand on this base, or could go back to it; NULL-terminated, the
 * handle's. Of a handle from lb_base_list_generations() or of NAME@GENERATION, those of that generation.
 */
const char *const *lb_base_get_users(const struct lb_base *base);

/** lb_base_delete - remove a base with all its generations. Errors: -LB_ERR_BASE_IN_USE, -LB_ERR_NO_BASE. */
int lb_base_delete(struct lb_context *context, const char *name);

/** struct lb_upgrade_options - what is done in a new generation; by default apt's update and full-upgrade. */
struct lb_upgrade_options {
	size_t size;
	const char *script;           /* a file of the host's that is run in it */
	const char *const *command;   /* or a command and its arguments, NULL-terminated */
};

/**
 * lb_base_upgrade - make the next generation of a base: the newest one, upgraded in namespaces of its own, and sealed.
 * @options:        NULL for the defaults; with both a script and a command: -EINVAL
 * @ret_generation: may be NULL; the newest generation, also where nothing was to be done
 *
 * A stack whose parent has a newer generation is built anew on that one. 1 where nothing changed and no generation
 * was made. A failed upgrade leaves nothing. Containers stay on their generation: see lb_rebase().
 *
 * Errors: -LB_ERR_NO_BASE, -LB_ERR_BUSY, -LB_ERR_PROGRAM_FAILED, -LB_ERR_DAMAGED (an account got another number),
 * -ENOSPC.
 */
int lb_base_upgrade(struct lb_context *context, const char *base, const struct lb_upgrade_options *options,
		    unsigned *ret_generation);

/** struct lb_difference - one thing in which two generations, or a generation and its manifest, differ. */
struct lb_difference {
	size_t size;
	const char *package;          /* a package's name, or NULL where it is about a path */
	const char *path;             /* absolute within the tree, or NULL; may hold any byte but NUL */
	const char *before, *after;   /* versions, or what it is in words ("file, 0644, root:root, 12 bytes"); NULL: not there */
};

/** lb_difference_fn - receives one difference, valid during the call only. */
typedef void (*lb_difference_fn)(const struct lb_difference *difference, void *userdata);

/**
 * lb_base_verify - compare a sealed tree with its manifest, content included.
 * @name: NAME or NAME@GENERATION; without a generation, the newest
 *
 * Errors: -LB_ERR_DAMAGED where they differ, or there is no manifest; the differences were given to @fn.
 */
int lb_base_verify(struct lb_context *context, const char *name, lb_difference_fn fn, void *userdata);

/** lb_base_diff - what differs between two generations: packages first, then paths; by their manifests. 1: nothing. */
int lb_base_diff(struct lb_context *context, const char *before, const char *after, lb_difference_fn fn,
		 void *userdata);

/**
 * lb_base_gc - remove generations that nothing uses: no container, no rebase that could be undone, no stack.
 * @base: NULL for all bases
 * @keep: how many of the newest to keep in any case, at least 1
 * @fn:   receives each removed one as NAME@GENERATION; may be NULL
 */
int lb_base_gc(struct lb_context *context, const char *base, unsigned keep, lb_result_fn fn, void *userdata);

/* ------------------------------------------------------------------------------------------ rebase */

/** A container's way from one generation to another: planned, or done. */
struct lb_rebase;

/** enum lb_rebase_kind - what an item of a plan is about. */
enum lb_rebase_kind {
	LB_REBASE_RELEASE,            /* the distribution's release */
	LB_REBASE_PACKAGE,
	LB_REBASE_ACCOUNT,            /* users, groups, subordinate ids */
	LB_REBASE_FILE,
	LB_REBASE_TASK,               /* what maintainer scripts of changed packages would have done */
	LB_REBASE_KIND_LAST_ = 0x7fffffff,
};

/** enum lb_rebase_outcome - what becomes of it. */
enum lb_rebase_outcome {
	LB_REBASE_FOLLOWS,            /* the new base's shows; a copy in the top layer is dropped */
	LB_REBASE_STAYS,              /* as the container has it */
	LB_REBASE_MERGED,             /* of both */
	LB_REBASE_BESIDE,             /* the container's stays, the base's is laid beside it; can be answered otherwise */
	LB_REBASE_DONE,               /* a task that the rebase does */
	LB_REBASE_REPORTED,           /* a task for the operator */
	LB_REBASE_CONFLICT,           /* stops the rebase */
	LB_REBASE_OUTCOME_LAST_ = 0x7fffffff,
};

/** struct lb_rebase_item - one line of a plan; strings belong to the plan. */
struct lb_rebase_item {
	size_t size;
	enum lb_rebase_kind kind;
	enum lb_rebase_outcome outcome;
	const char *subject;          /* a package, an account, an absolute path (which may hold any byte but NUL) */
	const char *text;             /* a sentence */
	const char *question;         /* id for lb_rebase_answer(), the same for equal questions of other containers; or NULL */
	const char *package;          /* that brought a file, where the base changed it; or NULL */
	const char *before, *after, *own; /* versions of a package in the old base, the new one, the container; or NULL */
	bool hides;                   /* what the new base has is newer, and stays hidden */
	uint64_t bytes;               /* of a file in the top layer */
};

/** lb_rebase_kind_name - "release", "package", "account", "file" or "task". */
const char *lb_rebase_kind_name(enum lb_rebase_kind kind);
/** lb_rebase_outcome_name - "follows", "stays", "merged", "beside", "done", "reported" or "conflict". */
const char *lb_rebase_outcome_name(enum lb_rebase_outcome outcome);

/**
 * lb_rebase_plan - plan a container's rebase; nothing is written.
 * @to: "BASE", "BASE@GENERATION", or NULL for the newest generation of the base it stands on
 *
 * 1 (and a plan without items) where it stands on that generation already. A plan with conflicts is a plan:
 * see lb_rebase_get_conflicts(). Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_NO_BASE, -LB_ERR_DAMAGED.
 */
int lb_rebase_plan(struct lb_context *context, const char *name, const char *to, struct lb_rebase **ret_rebase);

/** lb_rebase_free - free a plan; NULL is allowed. */
void lb_rebase_free(struct lb_rebase *rebase);

/** lb_rebase_get_name - the container's name. */
const char *lb_rebase_get_name(const struct lb_rebase *rebase);
/** lb_rebase_get_from - the generation it stands on, as "BASE@GENERATION". */
const char *lb_rebase_get_from(const struct lb_rebase *rebase);
/** lb_rebase_get_to - the generation it goes to, as "BASE@GENERATION". */
const char *lb_rebase_get_to(const struct lb_rebase *rebase);

/** lb_rebase_get_item - the item at @index from 0, NULL behind the last. */
const struct lb_rebase_item *lb_rebase_get_item(const struct lb_rebase *rebase, size_t index);

/** lb_rebase_get_conflicts - how many items stop it. */
size_t lb_rebase_get_conflicts(const struct lb_rebase *rebase);

/** struct lb_rebase_options - how containers are rebased; unset members mean the defaults. */
struct lb_rebase_options {
	size_t size;
	const char *to;               /* as for lb_rebase_plan() */
	bool dry_run;                 /* only plan */
	bool restart;                 /* stop a running container for it and start it again; else it is left pending for its next start */
	bool allow_release_change;    /* go to another release of the distribution */
	const char *canary;           /* this one first; others only when it is well */
	unsigned health_timeout_s;    /* start it, wait for it to be well, confirm or undo; 0: no check, the way back stays open */
	unsigned jobs;                /* how many at a time; 0: as many as there are processors */
	bool fetch;                   /* bring its own packages that would break to versions from the base's sources that fit */
};

/**
 * lb_rebase_fn - receives what became of one container, in the order of their ends, in the caller's thread.
 * @result: 0 done, 1 nothing to do, 2 left pending, or negative with @error
 * @rebase: the plan, valid during the call only; NULL where there was none
 */
typedef void (*lb_rebase_fn)(const char *name, int result, const char *error, const struct lb_rebase *rebase,
			     void *userdata);

/**
 * lb_rebase - bring containers to a newer generation, with their own packages, accounts and files.
 * @names: NULL-terminated; each once
 *
 * Each is done wholly or not at all, whatever ends the process. The first result that failed is returned; where the
 * canary fails, the others are not tried.
 *
 * Errors: -LB_ERR_CONFLICT, -LB_ERR_UNHEALTHY (it was undone), -ENOSPC, and those of lb_rebase_plan().
 */
int lb_rebase(struct lb_context *context, const char *const *names, const struct lb_rebase_options *options,
	      lb_rebase_fn fn, void *userdata);

/**
 * lb_rebase_undo - go back to the generation and the files of before the last rebase, which is not confirmed yet.
 *
 * Errors: -LB_ERR_RUNNING; -LB_ERR_CONFLICT where packages were changed since; 1 where there is nothing to undo.
 */
int lb_rebase_undo(struct lb_context *context, const char *name);

/** lb_rebase_confirm - give up the way back, and the disk space it takes. 1 where there is none. */
int lb_rebase_confirm(struct lb_context *context, const char *name);

/**
 * lb_rebase_answer - answer a question for all containers: "keep" (theirs), "base" (the base's), "" forgets the
 * answer.
 */
int lb_rebase_answer(struct lb_context *context, const char *question, const char *answer);

/* ------------------------------------------------------------------------------------------- audit */

/** struct lb_audit_item - something that keeps a container from what its base has. */
struct lb_audit_item {
	size_t size;
	const char *container;        /* NULL for what is about many of them */
	const char *kind;             /* "frozen" file, "hidden-security", "wasted" copy, "stack" candidate */
	const char *subject;          /* a path or a package */
	const char *text;             /* a sentence */
	uint64_t bytes;
	uint64_t containers;          /* how many carry it, for a stack candidate */
};

/** lb_audit_fn - receives one item, valid during the call only. */
typedef void (*lb_audit_fn)(const struct lb_audit_item *item, void *userdata);

/**
 * lb_audit - what shadows the base in the named containers, compared with the newest generation. 1: nothing does.
 *
 * Of several, those that cannot be looked at are left out with a warning, and the first failure is returned once all
 * others were told; those that are deleted meanwhile are passed by.
 */
int lb_audit(struct lb_context *context, const char *const *names, lb_audit_fn fn, void *userdata);

/** struct lb_lag - how far a container is behind its base. */
struct lb_lag {
	size_t size;
	const char *container, *base;
	unsigned generation, newest;
	int64_t behind_since;         /* when the first newer generation was sealed, seconds since the epoch; 0: not behind */
	unsigned packages, security;  /* that changed since; of them, security updates */
	bool pending;                 /* a rebase is done at its next start */
	bool unconfirmed;             /* its last rebase can still be undone */
};

/** lb_lag_fn - receives one container's, valid during the call only. */
typedef void (*lb_lag_fn)(const struct lb_lag *lag, void *userdata);

/** lb_lags - how far each container is behind, by name. */
int lb_lags(struct lb_context *context, lb_lag_fn fn, void *userdata);

/* --------------------------------------------------------------------------------------- snapshots */

struct lb_snapshot;

/** struct lb_snapshot_options - how a snapshot is made; unset members mean the defaults. */
struct lb_snapshot_options {
	size_t size;
	const char *label;            /* its name; default: the present time in UTC, as 20261121-172204 */
	const char *comment;          /* one line; default: none */
	int64_t expires;              /* when lb_snapshot_prune() may take it away, seconds since the epoch; 0: never */
	bool stop;                    /* stop a running container for it and start it again, instead of copying */
	bool scheduled;               /* made by a schedule: the policy of snapshot.keep is for these alone */
};

/**
 * lb_snapshot_create - keep a container's files as they are now.
 * @options:      NULL for the defaults
 * @ret_snapshot: may be NULL
 *
 * Of a stopped container it is a rename: nothing is copied. Of a running one the top layer is copied while it runs;
 * then the container is frozen for as long as it takes to copy what changed meanwhile. What did not change since the
 * snapshot before is shared with that one. Whatever ends the process, the container is thawed.
 *
 * Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_EXISTS (the label), -LB_ERR_BAD_NAME, -LB_ERR_BUSY, -ENOSPC.
 */
int lb_snapshot_create(struct lb_context *context, const char *container, const struct lb_snapshot_options *options,
		       struct lb_snapshot **ret_snapshot);

/** lb_snapshot_open - one snapshot of a container. Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_NO_SNAPSHOT. */
int lb_snapshot_open(struct lb_context *context, const char *container, const char *label,
		     struct lb_snapshot **ret_snapshot);

/** lb_snapshot_free - free a handle; NULL is allowed. The snapshot itself is not touched. */
void lb_snapshot_free(struct lb_snapshot *snapshot);

/**
 * lb_snapshot_list - the snapshots of one container or, with NULL, of all; by container, oldest first.
 * @ret_snapshots: a NULL-terminated array; free it with lb_snapshot_list_free()
 * @ret_count:     may be NULL
 */
int lb_snapshot_list(struct lb_context *context, const char *container, struct lb_snapshot ***ret_snapshots,
		     size_t *ret_count);

/** lb_snapshot_list_free - free a list and its handles; NULL is allowed. */
void lb_snapshot_list_free(struct lb_snapshot **snapshots);

/** lb_snapshot_get_container - the container it is of. */
const char *lb_snapshot_get_container(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_label - its name, which no other snapshot of the container has. */
const char *lb_snapshot_get_label(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_comment - one line that somebody wrote about it, or "". */
const char *lb_snapshot_get_comment(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_base - "BASE@GENERATION" that it stands on. */
const char *lb_snapshot_get_base(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_created - seconds since the epoch: the moment whose files it has. */
int64_t lb_snapshot_get_created(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_expires - seconds since the epoch; 0: never. */
int64_t lb_snapshot_get_expires(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_scheduled - was it made by a schedule? */
bool lb_snapshot_get_scheduled(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_live - was the container running, so that it was copied? */
bool lb_snapshot_get_live(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_frozen_us - how long the container was frozen for it, in microseconds; 0: not at all. */
uint64_t lb_snapshot_get_frozen_us(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_layer - the identifier of its topmost layer, 32 hexadecimal digits, or "" where it has none. */
const char *lb_snapshot_get_layer(const struct lb_snapshot *snapshot);
/** lb_snapshot_get_layers - how many layers it has above the base. */
size_t lb_snapshot_get_layers(const struct lb_snapshot *snapshot);
/**
 * lb_snapshot_get_bytes - disk space of its topmost layer, in bytes; shared with others where files are the same.
 *
 * Looks at every file of that layer. Errors: -LB_ERR_DAMAGED.
 */
int lb_snapshot_get_bytes(const struct lb_snapshot *snapshot, uint64_t *ret_bytes);

/**
 * lb_snapshot_restore - bring a stopped container back to a snapshot, files and base generation alike.
 * @ret_kept: the label of the snapshot that the present state was kept as, the caller's (free(3)); may be NULL
 *
 * Nothing is copied. Errors: -LB_ERR_RUNNING, -LB_ERR_NO_SNAPSHOT, -LB_ERR_NO_BASE.
 */
int lb_snapshot_restore(struct lb_context *context, const char *container, const char *label, char **ret_kept);

/**
 * lb_snapshot_delete - forget a snapshot. What others need of its layers stays; a layer that only one other needs is
 * merged into that one. Errors: -LB_ERR_NO_SNAPSHOT, -LB_ERR_BUSY (it is mounted).
 */
int lb_snapshot_delete(struct lb_context *context, const char *container, const char *label);

/** lb_snapshot_rename - give it another label. Errors: -LB_ERR_EXISTS, -LB_ERR_BAD_NAME. */
int lb_snapshot_rename(struct lb_context *context, const char *container, const char *label, const char *new_label);

/** lb_snapshot_set_expires - when it may be pruned, seconds since the epoch; 0: never. */
int lb_snapshot_set_expires(struct lb_context *context, const char *container, const char *label, int64_t expires);

/**
 * lb_snapshot_mount - mount it, base included, read-only, at a directory of the host, in the caller's mount namespace.
 *
 * Without setuid, devices and programs. umount2(2) ends it; until then neither it nor its container can be deleted or
 * renamed. Errors: -LB_ERR_NO_SNAPSHOT, -ENOTDIR.
 */
int lb_snapshot_mount(struct lb_context *context, const char *container, const char *label, const char *directory);

/**
 * lb_snapshot_diff - what differs between two states of a container: packages first, then paths.
 * @before: a label, or NULL for what the container is now
 * @after:  the same
 *
 * Differences are by what they were @before and are @after. Returns 1 where there are none. A running container may
 * change while it is looked at.
 */
int lb_snapshot_diff(struct lb_context *context, const char *container, const char *before, const char *after,
		     lb_difference_fn fn, void *userdata);

/**
 * lb_snapshot_prune - take away snapshots that have expired, and scheduled ones that the policy does not keep.
 * @container: NULL for all
 * @fn:        receives each removed one as CONTAINER/LABEL; may be NULL
 *
 * 1 where there were none.
 */
int lb_snapshot_prune(struct lb_context *context, const char *container, lb_result_fn fn, void *userdata);

/**
 * lb_snapshot_run - make the snapshots that are due by the schedules, then prune; for a timer.
 * @fn: receives each container that was due; may be NULL
 *
 * Carries on past failures. Returns 0, 1 when nothing was due, or the first failure's code.
 */
int lb_snapshot_run(struct lb_context *context, lb_result_fn fn, void *userdata);

/**
 * lb_container_clone - make a container that begins with another's files, by sharing all their layers.
 * @snapshot:      a label of @name's; NULL: as it is now
 * @ret_container: may be NULL
 *
 * It has the settings of the other, but an address, MAC, id range, machine-id, SSH host keys and host name of its own,
 * and neither forwards nor snapshots. Errors: as for lb_container_create(), -LB_ERR_NO_SNAPSHOT.
 */
int lb_container_clone(struct lb_context *context, const char *name, const char *snapshot, const char *new_name,
		       struct lb_container **ret_container);

/* ----------------------------------------------------------------------------------------- streams */

/** struct lb_export_options - what goes into a stream; unset members mean the defaults. */
struct lb_export_options {
	size_t size;
	const char *snapshot;         /* a label; default: as the container is now (of a running one, a snapshot made for it) */
	const char *since;            /* a label: leave out what a receiver that has that snapshot has already */
	bool with_base;               /* the base's generation, too */
	bool uncompressed;            /* for a program that compresses itself, and keeps pieces it has already once */
};

/**
 * lb_export - write a container as one stream: settings, layers, checksums; docs/streams.md has the format.
 * @fd: where it goes, a pipe or a file
 *
 * In constant memory. Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_NO_SNAPSHOT, -EPIPE, -ENOSPC.
 */
int lb_export(struct lb_context *context, const char *container, const struct lb_export_options *options, int fd);

/** struct lb_import_options - what is made of a stream; unset members mean the defaults. */
struct lb_import_options {
	size_t size;
	const char *as;               /* the container's name; default: the one in the stream */
	const char *base_as;          /* the name for a base that comes along; default: the one in the stream */
	bool allow_privileged;        /* make a privileged container, whose root is this host's root, where it was one */
	bool replace;                 /* a stopped container of that name goes on with what comes; its state is kept as a snapshot */
	const char *incoming;         /* a part of the move with this token: it cannot be started before lb_move_answer() is asked to */
};

/**
 * lb_import - make a container from a stream; or, from a difference, bring one that has its snapshot up to date.
 * @ret_name: the container's name, the caller's (free(3)); may be NULL
 *
 * All of the stream is read and checked before anything of it is used. Nothing in it is trusted. MAC and address of
 * the stream are kept where they are free here and the container keeps its name; else it gets new ones.
 *
 * Errors: -LB_ERR_BAD_STREAM (what and where), -LB_ERR_EXISTS, -LB_ERR_NO_BASE (with the base that is needed),
 * -LB_ERR_BASE_DIFFERS (a base of that name has other content here), -ENOSPC.
 */
int lb_import(struct lb_context *context, int fd, const struct lb_import_options *options, char **ret_name);

/**
 * lb_move - move a container to another host: send it while it runs, stop it, send the rest, start it there, and remove
 * it here when the other side has confirmed.
 * @target: "ssh://[USER@]HOST[:PORT]"
 *
 * Whatever fails before the other side has confirmed: the container is here as it was, and runs again where it ran.
 * Errors: -LB_ERR_PROGRAM_FAILED (with ssh's or the other side's words), those of lb_export().
 */
int lb_move(struct lb_context *context, const char *container, const char *target);

/**
 * lb_move_back - take a container back whose move was cut off when the other side had been told to start it.
 * @unasked: do so although the other side cannot be asked, since it will never run again
 *
 * Where the other side has it, nothing is changed: -LB_ERR_EXISTS. 1 where there is no such move. Errors:
 * -LB_ERR_PROGRAM_FAILED (the other side cannot be reached).
 */
int lb_move_back(struct lb_context *context, const char *container, bool unasked);

/**
 * lb_move_answer - the other side of lb_move(): answer what the host asks from which a container comes.
 * @question:   NULL-terminated words: "probe" BASE@GENERATION DIGEST NAME; "commit" NAME TOKEN RAN LABEL; "abort" NAME TOKEN
 * @ret_answer: one line, the caller's (free(3))
 *
 * For programs that take the place of `layerbox receive`. Errors: -EINVAL (no such question), and those of what is done.
 */
int lb_move_answer(struct lb_context *context, const char *const *question, char **ret_answer);

/**
 * lb_export_oci - add a container to an OCI image layout: one layer is the base's generation, shared by all containers
 * on it that are in the same layout, the other all layers of the container's own.
 * @snapshot:  a label, or NULL as for lb_export()
 * @directory: is made where it is not there
 * @tag:       the image's name in it; NULL: the container's
 */
int lb_export_oci(struct lb_context *context, const char *container, const char *snapshot, const char *directory,
		  const char *tag);

/**
 * lb_base_import_oci - make a base from an image of an OCI image layout.
 * @source: a directory, or DIRECTORY:TAG where it has several images
 */
int lb_base_import_oci(struct lb_context *context, const char *name, const char *source);

/* ------------------------------------------------------------------------------------------ backup */

/** struct lb_backup - one backup of a container in the repository. Valid during the callback only. */
struct lb_backup {
	size_t size;
	const char *container;
	const char *id;               /* the repository's own, as restic prints it */
	const char *base;             /* "BASE@GENERATION" that it stands on */
	const char *host;             /* that made it */
	int64_t created;              /* seconds since the epoch */
	bool with_base;
};

/** lb_backup_fn - receives one backup. */
typedef void (*lb_backup_fn)(const struct lb_backup *backup, void *userdata);

/** struct lb_backup_options - how backups are made; unset members mean the defaults. */
struct lb_backup_options {
	size_t size;
	bool with_base;               /* the base's generation, too; its content takes its space once, however many have it */
};

/**
 * lb_backup_run - back containers up to the repository of layerbox.conf, one after the other.
 * @names: NULL-terminated; NULL: all
 * @fn:    called once for each, in the caller's thread; may be NULL
 *
 * Of each a snapshot is made, between backup.pre and backup.post in a running one, and sent as a stream. The outcome is
 * kept: see lb_container_get_backup(). Carries on past failures; returns 0, or the first failure's code.
 *
 * Errors: -LB_ERR_NO_REPOSITORY (none is set, or it cannot be reached), -LB_ERR_NO_PROGRAM, -LB_ERR_PROGRAM_FAILED
 * (with restic's words).
 */
int lb_backup_run(struct lb_context *context, const char *const *names, const struct lb_backup_options *options,
		  lb_result_fn fn, void *userdata);

/**
 * lb_backup_init - make the repository that layerbox.conf names. Returns 1 where there is one already.
 *
 * Errors: -LB_ERR_NO_REPOSITORY (none is set, or its place cannot be reached), -LB_ERR_NO_PROGRAM,
 * -LB_ERR_PROGRAM_FAILED.
 */
int lb_backup_init(struct lb_context *context);

/** lb_backup_unlock - take locks of programs that have died off the repository; those that are in use stay. */
int lb_backup_unlock(struct lb_context *context);

/** lb_backup_list - the backups of one container or, with NULL, of all; by container, oldest first. */
int lb_backup_list(struct lb_context *context, const char *container, lb_backup_fn fn, void *userdata);

/**
 * lb_backup_check - have the repository checked, with @read_data all of its content, too. Errors: -LB_ERR_DAMAGED, those
 * of lb_backup_run().
 */
int lb_backup_check(struct lb_context *context, bool read_data);

/**
 * lb_backup_restore - make a container from a backup.
 * @what:     "NAME", "NAME@TIME" (the newest that is not younger; 2026-11-21, 2026-11-21T17:22) or "NAME@ID"
 * @as:       the container's name; NULL: NAME
 * @ret_name: may be NULL
 *
 * Where several hosts have backed up a container of that name, those of this host count. Errors: those of lb_import(),
 * -LB_ERR_NO_SNAPSHOT (no such backup, or several hosts have one and this one has none), -LB_ERR_NO_REPOSITORY.
 */
int lb_backup_restore(struct lb_context *context, const char *what, const char *as, bool allow_privileged,
		      char **ret_name);

/**
 * lb_backup_forget - take away backups of this host that backup.keep does not keep, and the space they take.
 * @container: NULL for all
 * @fn:        receives each removed one as CONTAINER@ID; may be NULL
 *
 * 1 where there were none.
 */
int lb_backup_forget(struct lb_context *context, const char *container, lb_result_fn fn, void *userdata);

/** struct lb_backup_outcome - how the last backup of a container went. Set size first. */
struct lb_backup_outcome {
	size_t size;
	int64_t last_success;         /* seconds since the epoch; 0: there was none */
	int64_t last_run;             /* likewise, whether it went well or not */
	int result;                   /* of the last run: 0, or a negative code */
	char error[256];              /* its sentence, or "" */
	int64_t duration_s;           /* how many seconds the last run took; -1: not known */
};

/** lb_container_get_backup - how its last backup went. Returns 1 where none was tried yet. */
int lb_container_get_backup(const struct lb_container *container, struct lb_backup_outcome *ret_outcome);

/* ----------------------------------------------------------------------------------------- network */

/** enum lb_network_manager - who runs the bridge and its DHCP server. */
enum lb_network_manager {
	LB_NETWORK_LAYERBOX,          /* layerbox itself */
	LB_NETWORK_LXC_NET,           /* Debian's lxc-net */
	LB_NETWORK_FOREIGN,           /* a bridge of that name that is neither's */
	LB_NETWORK_NOBODY,            /* there is no such bridge */
	LB_NETWORK_LAST_ = 0x7fffffff,
};

/** struct lb_network_options - what a new network shall be. */
struct lb_network_options {
	size_t size;
	/*
	 * Key, value, key, value ... NULL: subnet (needed: 10.0.4.0/24, from /16 to /29), ipv6 (a /64, or auto), mtu
	 * (bytes), isolated, antispoof, dhcp (yes|no); see layerbox(8), NETWORKS.
	 */
	const char *const *settings;
};

/**
 * lb_network_create - make a network, which is a bridge of that name, and bring it up.
 *
 * Errors: -LB_ERR_BAD_NAME, -LB_ERR_BAD_VALUE (also for a subnet that is in use), -LB_ERR_EXISTS, -LB_ERR_NETWORK
 * (someone else's interface has that name, or another network's ports have the names that its would have), and those of
 * lb_network_up(); after these the network is there, down.
 */
int lb_network_create(struct lb_context *context, const char *name, const struct lb_network_options *options);

/**
 * lb_network_delete - take a network down and forget it. Errors: -LB_ERR_NETWORK (containers are on it, or the default
 * one).
 */
int lb_network_delete(struct lb_context *context, const char *name);

/** lb_network_list - names of all networks, the default one first; NULL-terminated, lb_network_list_free(). */
int lb_network_list(struct lb_context *context, char ***ret_names);

/** lb_network_list_free - free a list of names; NULL is allowed. */
void lb_network_list_free(char **names);

/**
 * lb_network_set - change one setting of a network, at once where it is up. @name NULL: the default network.
 *
 * Returns 1 when it had that value already. Errors: -LB_ERR_NO_NETWORK, -LB_ERR_BAD_VALUE, those of lb_network_up().
 */
int lb_network_set(struct lb_context *context, const char *name, const char *key, const char *value);

/** lb_network_get - one setting as text, "" where it is not set; *@ret_value is the caller's (free(3)). */
int lb_network_get(struct lb_context *context, const char *name, const char *key, char **ret_value);

/** lb_network_key - the keys that lb_network_set() knows: the @index-th, or NULL behind the last. */
const char *lb_network_key(size_t index);

/** struct lb_network_status - what a network is and how it does. */
struct lb_network_status {
	size_t size;
	enum lb_network_manager manager;
	bool is_default;
	char bridge[16];              /* its name as well */
	char address[20];             /* of the bridge, with prefix length: 10.0.3.1/24 */
	bool up;                      /* the bridge is there and up */
	pid_t dnsmasq_pid;            /* 0 when no DHCP server runs for it */
	bool reservations_read;       /* that dnsmasq reads layerbox's reservations */
	bool firewall;                /* layerbox's nftables tables of this network are there */
	bool nat;                     /* and lend containers the host's address (false under lxc-net, which does so itself) */
	unsigned ports;               /* interfaces on the bridge */
	unsigned pool_size;           /* addresses that containers can have */
	unsigned pool_used;           /* of these, reserved by containers */
	char ipv6[49];                /* its IPv6 prefix, or "" */
	unsigned mtu;                 /* as set, in bytes; 0: the kernel's own */
	bool isolated, antispoof, dhcp; /* as set */
	char problem[256];            /* a sentence on what is wrong and what to do, or "" */
	char warning[256];            /* on what will be wrong before long: few addresses are left; or "" */
};

/**
 * lb_network_up - make sure a network's bridge, dnsmasq and rules are there.
 * @name: NULL for all networks
 *
 * Where Debian's lxc-net runs the bridge, only makes sure that its dnsmasq reads the reservations.
 * Returns 1 when all was well already. Errors: -LB_ERR_NETWORK, -LB_ERR_NO_PROGRAM, -LB_ERR_PROGRAM_FAILED.
 */
int lb_network_up(struct lb_context *context, const char *name);

/**
 * lb_network_down - take a network of layerbox's own away until the next lb_network_up(); refused while containers run
 * on it.
 * @name: NULL for all networks
 *
 * Returns 1 when there was none. Errors: -LB_ERR_NETWORK (in use, or not layerbox's).
 */
int lb_network_down(struct lb_context *context, const char *name);

/**
 * lb_network_get_status - look, and change nothing. Set ret_status->size first.
 * @name: NULL for the default network
 *
 * Returns 0 also where something is wrong: ret_status->problem says so.
 */
int lb_network_get_status(struct lb_context *context, const char *name, struct lb_network_status *ret_status);

/* ------------------------------------------------------------------------------------------ leases */

/** enum lb_lease_state - what an address is to the containers. */
enum lb_lease_state {
	LB_LEASE_RESERVED,            /* a container's, which has not asked for it */
	LB_LEASE_ACTIVE,              /* leased to the container that it is reserved for */
	LB_LEASE_FOREIGN,             /* leased to somebody who is no container */
	LB_LEASE_CONFLICT,            /* leased to the wrong one; lb_lease.problem says how */
	LB_LEASE_LAST_ = 0x7fffffff,
};

/** lb_lease_state_name - "reserved", "active", "foreign" or "conflict". */
const char *lb_lease_state_name(enum lb_lease_state state);

/**
 * struct lb_lease - an address and who has it.
 *
 * There is one for each container, reserved or active, and one for each live lease that is not a container's own
 * on its own address. Later versions add members at the end.
 */
struct lb_lease {
	char container[64];           /* whose address or MAC it is; "" for a foreign one */
	char network[16];
	char mac[18];
	char ipv4[16];
	char ipv6[46];                /* or "" */
	char name[64];                /* as the holder sent it, else as it is reserved; or "" */
	int64_t expiry;               /* seconds since the epoch; 0: never, or reserved only */
	enum lb_lease_state state;
	char problem[192];            /* what the conflict is, or "" */
};

/**
 * lb_lease_list - every reserved and leased address, in the order of networks and addresses.
 * @network:    NULL for all
 * @ret_leases: a NULL-terminated array; free it with lb_lease_list_free()
 * @ret_count:  may be NULL
 *
 * Lines of the lease file that nobody understands, and containers whose record cannot be read, are left out and
 * reported as warnings to the log. Errors: -LB_ERR_NO_NETWORK.
 */
int lb_lease_list(struct lb_context *context, const char *network, struct lb_lease ***ret_leases, size_t *ret_count);

/** lb_lease_list_free - free a list and what is in it; NULL is allowed. */
void lb_lease_list_free(struct lb_lease **leases);

/**
 * lb_lease_reserve - give a stopped container another IPv4 address, also in its files where they are unchanged.
 *
 * Its old lease is given back. Returns 1 when it had that address already. Errors: -LB_ERR_NO_CONTAINER,
 * -LB_ERR_RUNNING, -LB_ERR_BAD_VALUE (not an address that containers on its network can have), -LB_ERR_EXISTS
 * (another container's, or leased to somebody else).
 */
int lb_lease_reserve(struct lb_context *context, const char *container, const char *ipv4);

/**
 * lb_lease_release - have the DHCP server forget who has an address; reservations stay.
 * @what: a container (then all leases of its MAC or its address), an IPv4 address, or a MAC
 *
 * A running container does not notice before it renews its lease. Returns 1 when there was no such lease. Errors:
 * -LB_ERR_NO_CONTAINER, -LB_ERR_BAD_NAME, -LB_ERR_NETWORK (no DHCP server runs), -LB_ERR_TIMEOUT (it did not do so).
 */
int lb_lease_release(struct lb_context *context, const char *what);

/** struct lb_lease_pool - how full a network is. */
struct lb_lease_pool {
	size_t size;
	char network[16];
	unsigned addresses;           /* that containers can have, in all; of these */
	unsigned used;                /* containers have so many, */
	unsigned foreign;             /* are leased to somebody else, */
	unsigned quarantined;         /* were given back a short time ago, or somebody was found to use them, */
	unsigned free;                /* and the rest */
};

/** lb_lease_get_pool - count a network's addresses. @network NULL: the default one. Set ret_pool->size first. */
int lb_lease_get_pool(struct lb_context *context, const char *network, struct lb_lease_pool *ret_pool);
/* ---------------------------------------------------------------------------------------- forwards */

/** enum lb_protocol - what a port is of. */
enum lb_protocol {
	LB_PROTOCOL_TCP,
	LB_PROTOCOL_UDP,
	LB_PROTOCOL_LAST_ = 0x7fffffff,
};

/** struct lb_forward - a port of the host that leads to a port of a container. Set size first. */
struct lb_forward {
	size_t size;
	char container[64];
	char listen[46];              /* one address of the host, IPv4 or IPv6; "": all but loopback */
	enum lb_protocol protocol;
	uint16_t port, target_port;   /* target_port 0: the same */
};

/**
 * lb_forward_parse - read [ADDRESS:]PORT[:TARGET][/PROTOCOL], as in "8883:1883/tcp" or "[2001:db8::1]:53/udp".
 *
 * Fills all but the container's name; target_port is 0 where none is given. Errors: -LB_ERR_BAD_VALUE.
 */
int lb_forward_parse(struct lb_context *context, const char *text, struct lb_forward *ret_forward);

/**
 * lb_forward_add - lead a port of the host to a container, at once where its network is up.
 *
 * It lasts until it is removed or the container is deleted. Returns 1 when it was there already. Errors:
 * -LB_ERR_EXISTS (the port leads elsewhere, or a program of the host listens on it), -LB_ERR_NO_CONTAINER,
 * -LB_ERR_BAD_VALUE, -LB_ERR_EXHAUSTED (the container has 64), -LB_ERR_BAD_CONFIG (a record cannot be read).
 */
int lb_forward_add(struct lb_context *context, const struct lb_forward *forward);

/**
 * lb_forward_remove - take it back; a target_port of 0 means wherever it leads. Errors: -LB_ERR_BAD_VALUE (there is
 * none).
 */
int lb_forward_remove(struct lb_context *context, const struct lb_forward *forward);

/**
 * lb_forward_list - the forwards of one container or, with NULL, of all.
 * @ret_forwards: a NULL-terminated array; free it with lb_forward_list_free()
 * @ret_count:    may be NULL
 *
 * With NULL, containers whose records cannot be read are left out and reported as warnings to the log.
 */
int lb_forward_list(struct lb_context *context, const char *container, struct lb_forward ***ret_forwards,
		    size_t *ret_count);

/** lb_forward_list_free - free a list; NULL is allowed. */
void lb_forward_list_free(struct lb_forward **forwards);

/* -------------------------------------------------------------------------------------------- boot */

/** enum lb_boot_step - what happened to one container while all are started. */
enum lb_boot_step {
	LB_BOOT_STARTED,              /* its init runs */
	LB_BOOT_ALREADY,              /* it ran before */
	LB_BOOT_READY,                /* it is as its boot.wait asks for; the text says more, such as its address, or "" */
	LB_BOOT_NOT_READY,            /* it is not within boot.timeout, or has ended again; the text says why */
	LB_BOOT_FAILED,               /* it was not started; the text says why */
	LB_BOOT_LAST_ = 0x7fffffff,
};

/** lb_boot_fn - receives what happened, when it happens, in the caller's thread; @text is valid during the call only. */
typedef void (*lb_boot_fn)(const char *name, enum lb_boot_step step, const char *text, void *userdata);

/**
 * lb_start_all - start every container with autostart=yes that does not run, as their boot.* settings ask for.
 * @options: NULL for the defaults; jobs is for those that may begin together
 * @fn:      may be NULL
 *
 * Those without boot.after and boot.delay begin at once, several in parallel, higher boot.priority first; the others
 * when all that they come after are ready, or cannot be: nobody waits for one that fails or hangs. Returns when all are
 * through: 0; 1 when there was nothing to start; or the code of the first one that could not be started or did not
 * become ready (-LB_ERR_TIMEOUT, -LB_ERR_NOT_RUNNING). It can be interrupted and called again at any time, also side by
 * side.
 */
int lb_start_all(struct lb_context *context, const struct lb_run_options *options, lb_boot_fn fn, void *userdata);

/**
 * lb_stop_all - stop every container that runs, those first that come after others; of the others, lower boot.priority
 * first.
 *
 * Each is asked to shut down, and killed when it has not done so within options->timeout_s, or at once with
 * options->kill. Unless options->jobs says otherwise, 64 at a time. Half a minute before options->deadline_s is over (or
 * half of it, where that is less) all who are left are asked, in no order. Parameters and result as for
 * lb_containers_stop().
 */
int lb_stop_all(struct lb_context *context, const struct lb_run_options *options, lb_result_fn fn, void *userdata);

/**
 * lb_container_wait_ready - wait until one that runs is as its boot.wait asks for, for boot.timeout at most.
 *
 * Errors: -LB_ERR_TIMEOUT, -LB_ERR_NOT_RUNNING (it has ended meanwhile).
 */
int lb_container_wait_ready(struct lb_container *container);

/* ------------------------------------------------------------------------------------------- usage */

/** What a number of struct lb_usage says where this host does not count it, or the container does not run. */
#define LB_USAGE_UNKNOWN UINT64_MAX

/**
 * struct lb_usage - what a container takes. Set size first.
 *
 * Counters begin anew with each start of the container. Network and disk are as the container sees them.
 */
struct lb_usage {
	size_t size;
	int64_t started;              /* when its init was, seconds since the epoch; 0: it does not run */
	uint64_t cpu_us;              /* time of processors, in microseconds */
	uint64_t memory_bytes;        /* with files that the kernel keeps in memory for it */
	uint64_t memory_working_bytes; /* without those of them that nobody has used lately: what a limit has to hold */
	uint64_t memory_peak_bytes;   /* the most that memory_bytes has been */
	uint64_t memory_limit_bytes;  /* 0: none */
	uint64_t processes;           /* and threads */
	uint64_t processes_limit;     /* 0: none */
	uint64_t io_read_bytes, io_written_bytes; /* from and to block devices */
	uint64_t io_reads, io_writes; /* how often */
	uint64_t received_bytes, received_packets, received_errors, received_dropped; /* by its network interface */
	uint64_t sent_bytes, sent_packets, sent_errors, sent_dropped;
	uint64_t top_layer_bytes;     /* disk space of its top layer when it was measured last */
	int64_t top_layer_measured;   /* when that was, seconds since the epoch; 0: never */
};

/**
 * lb_container_get_usage - what a container takes now, as the kernel counts it.
 *
 * Returns 1 where it does not run, as the handle knows it: then only its top layer is known.
 */
int lb_container_get_usage(struct lb_container *container, struct lb_usage *ret_usage);

/** lb_usage_fn - receives one container's, valid during the call only. */
typedef void (*lb_usage_fn)(struct lb_container *container, const struct lb_usage *usage, void *userdata);

/**
 * lb_usage_list - what several containers take: what is the same for all of them is asked once.
 * @containers: NULL-terminated, as from lb_container_list(), which also has those that do not run
 */
int lb_usage_list(struct lb_context *context, struct lb_container *const *containers, lb_usage_fn fn, void *userdata);

/**
 * lb_usage_measure - look at all files of the top layers that were not measured for an hour, the oldest first.
 * @seconds: after this time no other is begun
 *
 * What it finds is kept until the host reboots. One layer takes as long as its customer has made it: nothing that has to
 * be in time should wait for this. Returns 1 where none was due.
 */
int lb_usage_measure(struct lb_context *context, unsigned seconds);

/** enum lb_metrics_format - what metrics are written as. */
enum lb_metrics_format {
	LB_METRICS_OPENMETRICS,       /* OpenMetrics 1.0 */
	LB_METRICS_PROMETHEUS,        /* Prometheus' text format 0.0.4, which node_exporter reads from files */
	LB_METRICS_LAST_ = 0x7fffffff,
};

/**
 * lb_metrics - how containers, networks, bases and the host's disk do, as numbers for a monitoring system.
 * @ret_text: the caller's (free(3))
 *
 * Measures nothing on disk: see lb_usage_measure(). What cannot be told of one thing is left out, with a warning to the
 * log. Errors: -EINVAL (no such format).
 */
int lb_metrics(struct lb_context *context, enum lb_metrics_format format, char **ret_text);

/* ------------------------------------------------------------------------------------------ events */

/** struct lb_event - something that happened to a container, or to a base. Valid during the callback only. */
struct lb_event {
	size_t size;
	int64_t time;                 /* microseconds since the epoch */
	const char *action;           /* what was done ("start"), or what happened ("unhealthy") */
	const char *container;        /* its name; "" for a base or the host */
	const char *result;           /* "ok", or a word as lb_error_name() has them */
	const char *message;          /* a detail, or why it failed; may be "" */
	const char *words;            /* action and result for people: "started", "start failed" */
	pid_t pid;                    /* of the command that did it */
	uid_t uid;                    /* of who logged in and gave that command, or ran it */
};

/** struct lb_events_options - which events lb_events() shows. */
struct lb_events_options {
	size_t size;
	const char *const *names;     /* of containers, NULL-terminated; NULL: all, and what is no container's */
	int64_t since;                /* as in struct lb_event: of what there is, that of this time and later; 0: all */
	bool follow;                  /* do not end at the last, but wait for more */
	int stop_fd;                  /* with follow: ends as soon as this can be read from; 0: never */
};

/** lb_event_fn - receives one event of lb_events(). */
typedef void (*lb_event_fn)(const struct lb_event *event, void *userdata);

/**
 * lb_events - what happened to containers and bases, oldest first.
 * @options: NULL for all that there are
 *
 * They are read from ROOT/logs/events.log.1 and ROOT/logs/events.log, of 1 MiB each at most: what is older is gone. What is no
 * event in these files is left out. Readers of these files (the group adm) need no other rights.
 */
int lb_events(struct lb_context *context, const struct lb_events_options *options, lb_event_fn fn, void *userdata);

/* -------------------------------------------------------------------------------------------- logs */

/** struct lb_logs_options - what lb_logs() shows; unset members mean all that there is. */
struct lb_logs_options {
	size_t size;
	bool follow;                  /* do not end at the last line, but wait for more */
	bool boot;                    /* since the container was started last */
	bool console;                 /* what it printed on its console, even where it has a journal */
	const char *unit;             /* of the journal: this systemd unit only */
	int64_t since;                /* of the journal: microseconds since the epoch; not with both follow and lines */
	unsigned lines;               /* so many of the last, 100000 at most; 0: all or, with follow alone, 10 */
	int stop_fd;                  /* ends as soon as this can be read from; 0: never */
};

/**
 * lb_line_fn - receives one line of a container's log, by lb_logs().
 * @line: UTF-8 without control characters but tabs, of some thousand bytes at most; valid during the call only
 */
typedef void (*lb_line_fn)(const char *name, const char *line, void *userdata);

/**
 * lb_logs - what containers have logged.
 * @names:   NULL-terminated
 * @options: NULL for all that there is
 * @fn:      with follow and several containers it is called by other threads than the caller's, never by two at once
 *
 * For a container that runs, its journalctl is asked; for one that is stopped, too, in a tree of its files that nothing
 * of it changes. Where it has no journal, the log of its console is read; the log, as an INFO, says which it was. In a
 * console nothing says when, or by which unit: with boot, unit or since nothing of it is read, as a WARNING says. One
 * container is read after the other; with follow all are at the same time, over stops and starts, until the container
 * is deleted; a journalctl that ends is started again, with a WARNING. Without follow, one that is silent for 30 s is
 * ended.
 *
 * The first failure is returned when all others are through. Errors: -LB_ERR_NO_CONTAINER, -LB_ERR_NOT_RUNNING (it is
 * frozen), -LB_ERR_PROGRAM_FAILED, -LB_ERR_BAD_VALUE.
 */
int lb_logs(struct lb_context *context, const char *const *names, const struct lb_logs_options *options, lb_line_fn fn,
	    void *userdata);
/* ------------------------------------------------------------------------------------------ health */

/**
 * lb_container_get_health - what the supervisor thinks of it: "starting", "healthy", "unhealthy" or "failed".
 *
 * "unknown" where it has a check and no supervisor is there, or it cannot be checked; "" where there is nothing to say. As it was when the handle
 * was listed or refreshed, else when this is called first.
 */
const char *lb_container_get_health(struct lb_container *container);

/**
 * lb_container_check - is it well, now? Does what the settings health.command, health.tcp and health.http say.
 *
 * Returns 0 when it is, 1 when it has no check. The supervisor does not hear of it. Errors: -LB_ERR_UNHEALTHY with what
 * is wrong, -LB_ERR_NOT_RUNNING (also while it is frozen).
 */
int lb_container_check(struct lb_container *container);

/**
 * lb_watch_fn - receives what the supervisor has seen or done.
 * @event:     "ended", "restarted", "unhealthy", "unknown", "recovered", "failed", "disk-full" or "disk-ok"
 * @container: its name, "" for the host
 * @text:      a sentence; valid during the call only
 */
typedef void (*lb_watch_fn)(const char *event, const char *container, const char *text, void *userdata);

/** struct lb_watch_options - how lb_watch() is told to end, and who hears of it; unset members mean nobody. */
struct lb_watch_options {
	size_t size;
	int stop_fd;                  /* it ends as soon as this can be read from; 0: never */
	void (*alive)(void *userdata); /* called when it is up, and every few seconds from then on */
	lb_watch_fn fn;
	void *userdata;               /* for both, which are called from the thread of lb_watch() */
};

/**
 * lb_watch - be the supervisor of a root: check containers, start again what ended, alert, until told to end.
 * @options: NULL for the defaults
 *
 * Follows LXC's state events. What it thinks outlives it in RUNSTATEDIR/layerbox/health, and containers do not need it.
 * Before it returns it finishes what it has begun to start or to tell, for at most 75 seconds. What it cannot do is
 * warnings to the log; layerbox(8), SUPERVISOR, says what it does.
 *
 * Errors: -LB_ERR_BUSY (this root has one), -LB_ERR_NOT_ROOT.
 */
int lb_watch(struct lb_context *context, const struct lb_watch_options *options);

/* ------------------------------------------------------------------------------------------ doctor */

/** struct lb_finding - one thing that doctor found. Valid during the callback only. */
struct lb_finding {
	size_t size;
	const char *subject;          /* "container tiger", "network lxcbr0", "kernel" ... */
	const char *problem;          /* a sentence */
	const char *remedy;           /* what was done about it, or what to do */
	bool repaired;
};

/** lb_finding_fn - receives one finding of lb_doctor(). */
typedef void (*lb_finding_fn)(const struct lb_finding *finding, void *userdata);

/**
 * lb_doctor - compare what should be with what is, and repair what is safe to repair.
 * @repair: false only looks
 *
 * Returns the number of problems that remain, or a negative code when it could not look.
 */
int lb_doctor(struct lb_context *context, bool repair, lb_finding_fn fn, void *userdata);

/**
 * lb_sweep - finish or undo what a killed command left: half-made and half-deleted directories, containers that
 * were stopped for a snapshot and are to run again, and empty cgroups of containers whose monitor was killed.
 *
 * The command line tool does so before every command but those of the host's start and end. Calls that make or start
 * something sweep the place where they work by themselves.
 */
int lb_sweep(struct lb_context *context);

#ifdef __cplusplus
}
#endif
#endif
