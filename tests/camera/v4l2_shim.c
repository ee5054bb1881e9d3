// A camera that is a file: a library for LD_PRELOAD that stands between a program and Linux, and makes the program see
// /dev/video0 where there is none. No rights and no kernel module are needed, and nothing outside the program changes.
//
// V4L2_SHIM_FRAMES  file of pictures, one JPEG after the other, or raw pictures in V4L2_SHIM_FORMAT and _SIZE
// V4L2_SHIM_FORMAT  four letters of the pixel format; MJPG if it is not set
// V4L2_SHIM_SIZE    WIDTHxHEIGHT of raw pictures
// V4L2_SHIM_RATE    pictures a second; 30 if it is not set
// V4L2_SHIM_STATE   file with one word that may change at any time: plugged, unplugged, stalled, busy or denied
// V4L2_SHIM_LAMP    file that gets the state of the lamp, 0 or 1; without it the camera has none
//
// gcc -shared -fPIC -O2 -Wall -o v4l2_shim.so v4l2_shim.c -ldl -lpthread

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NODE "/dev/video0"
#define NAME_FILE "/sys/class/video4linux/video0/name"
#define CARD "Test camera"
#define MAX_OPEN 16
#define MAX_BUFFERS 8
#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

// ---- the pictures ----

struct picture {
    const uint8_t *bytes;
    size_t length;
};

static struct picture *pictures;
static size_t picture_count, largest;
static uint32_t width, height, pixel_format, stride;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

static void add_picture(const uint8_t *bytes, size_t length) {
    pictures = realloc(pictures, (picture_count + 1) * sizeof *pictures);
    pictures[picture_count++] = (struct picture){bytes, length};
    if (length > largest) largest = length;
}

// The end of the JPEG that begins at `at`; sets the size from its frame header.
static size_t jpeg_end(const uint8_t *bytes, size_t at, size_t length) {
    at += 2;
    while (at + 4 <= length && bytes[at] == 0xFF && bytes[at + 1] != 0xDA) {
        if (bytes[at + 1] >= 0xC0 && bytes[at + 1] <= 0xC2 && at + 9 <= length) {
            height = bytes[at + 5] << 8 | bytes[at + 6];
            width = bytes[at + 7] << 8 | bytes[at + 8];
        }
        at += 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
    }
    while (at + 2 <= length && !(bytes[at] == 0xFF && bytes[at + 1] == 0xD9)) at++;
    return at + 2 <= length ? at + 2 : length;
}

static void load(void) {
    const char *path = getenv("V4L2_SHIM_FRAMES"), *format = getenv("V4L2_SHIM_FORMAT"), *size = getenv("V4L2_SHIM_SIZE");
    if (!format) format = "MJPG";
    pixel_format = v4l2_fourcc(format[0], format[1], format[2], format[3]);
    int fd = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat info;
    if (fd < 0 || fstat(fd, &info) || info.st_size < 4) {
        fprintf(stderr, "v4l2_shim: V4L2_SHIM_FRAMES names no file of pictures\n");
        _exit(2);
    }
    size_t length = info.st_size;
    const uint8_t *bytes = REAL(mmap)(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    REAL(close)(fd);
    if (pixel_format == V4L2_PIX_FMT_MJPEG) {
        for (size_t at = 0, end; at + 2 < length; at = end) {
            end = jpeg_end(bytes, at, length);
            add_picture(bytes + at, end - at);
        }
        stride = 0;
    } else {
        if (!size || sscanf(size, "%ux%u", &width, &height) != 2) _exit(2);
        int planar = pixel_format == V4L2_PIX_FMT_NV12;
        int pixel = pixel_format == V4L2_PIX_FMT_GREY    ? 1
                    : pixel_format == V4L2_PIX_FMT_YUYV  ? 2
                    : pixel_format == V4L2_PIX_FMT_RGB24 ? 3
                                                         : 4;
        stride = planar ? width : width * pixel;
        size_t one = (size_t)stride * height * (planar ? 3 : 2) / 2;
        for (size_t at = 0; at + one <= length; at += one) add_picture(bytes + at, one);
    }
    if (!picture_count) _exit(2);
}

// ---- what the test wants ----

static int state_is(const char *word) {
    const char *path = getenv("V4L2_SHIM_STATE");
    char text[32] = "";
    int fd = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    REAL(close)(fd);
    return length > 0 && !strncmp(text, word, strlen(word));
}

static void write_lamp(int on) {
    int fd = REAL(open)(getenv("V4L2_SHIM_LAMP"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0) {
        if (write(fd, on ? "1" : "0", 1) != 1) perror("v4l2_shim");
        REAL(close)(fd);
    }
}

// ---- open nodes ----

struct node {
    int fd;        // a timer that ticks once a picture, so that the program can wait for it; 0 if this place is free
    int memory;    // holds the buffers
    uint8_t *view; // the same for us
    size_t length; // of one buffer
    uint32_t count, sequence, queue[MAX_BUFFERS], queued;
    uint64_t ticks;
};

static struct node nodes[MAX_OPEN];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int lamp_mode;

static struct node *node_of(int fd) {
    for (int i = 0; fd > 0 && i < MAX_OPEN; i++)
        if (nodes[i].fd == fd) return &nodes[i];
    return NULL;
}

static void free_buffers(struct node *node) {
    if (node->view) munmap(node->view, node->length * node->count);
    if (node->memory > 0) REAL(close)(node->memory);
    node->view = NULL;
    node->memory = node->count = node->queued = 0;
}

static int open_node(void) {
    pthread_once(&loaded, load);
    if (state_is("unplugged")) return errno = ENOENT, -1;
    if (state_is("denied")) return errno = EACCES, -1;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    pthread_mutex_lock(&lock);
    for (int i = 0; fd > 0 && i < MAX_OPEN; i++)
        if (!nodes[i].fd) {
            nodes[i] = (struct node){.fd = fd};
            pthread_mutex_unlock(&lock);
            return fd;
        }
    pthread_mutex_unlock(&lock);
    if (fd > 0) REAL(close)(fd);
    return errno = EMFILE, -1;
}

static int open_text(const char *text) {
    int fd = memfd_create("text", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)) return -1;
    return fd;
}

static void set_timer(struct node *node, int on) {
    const char *rate = getenv("V4L2_SHIM_RATE");
    long nanoseconds = on ? 1000000000L / (rate && atoi(rate) > 1 ? atoi(rate) : 30) : 0;
    struct itimerspec times = {{0, nanoseconds}, {0, nanoseconds}};
    timerfd_settime(node->fd, 0, &times, NULL);
}

// ---- Video4Linux ----

static int fail(int error) { return errno = error, -1; }

static void fill_format(struct v4l2_format *format) {
    format->fmt.pix = (struct v4l2_pix_format){
        .width = width, .height = height, .pixelformat = pixel_format, .field = V4L2_FIELD_NONE,
        .bytesperline = stride, .sizeimage = largest, .colorspace = V4L2_COLORSPACE_SRGB};
}

static int request_buffers(struct node *node, struct v4l2_requestbuffers *request) {
    free_buffers(node);
    if (!request->count) return set_timer(node, 0), 0;
    for (int i = 0; i < MAX_OPEN; i++)
        if (nodes[i].fd && nodes[i].count) return fail(EBUSY);
    if (state_is("busy")) return fail(EBUSY);
    if (request->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
    if (request->count > MAX_BUFFERS) request->count = MAX_BUFFERS;
    node->length = (largest + 4095) & ~(size_t)4095;
    node->memory = memfd_create("buffers", MFD_CLOEXEC);
    if (node->memory < 0 || ftruncate(node->memory, node->length * request->count)) return fail(ENOMEM);
    node->view =
        REAL(mmap)(NULL, node->length * request->count, PROT_READ | PROT_WRITE, MAP_SHARED, node->memory, 0);
    node->count = request->count;
    request->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    return 0;
}

static int take_buffer(struct node *node, struct v4l2_buffer *buffer) {
    uint64_t ticks;
    if (read(node->fd, &ticks, sizeof ticks) != sizeof ticks) return fail(EAGAIN);
    node->ticks += ticks; // a program that is slow misses pictures
    if (!node->queued) return fail(EAGAIN);
    uint32_t index = node->queue[0];
    memmove(node->queue, node->queue + 1, --node->queued * sizeof *node->queue);
    const struct picture *picture = &pictures[node->ticks % picture_count];
    memcpy(node->view + index * node->length, picture->bytes, picture->length);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *buffer = (struct v4l2_buffer){
        .index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP, .bytesused = picture->length,
        .length = node->length, .sequence = node->sequence++, .timestamp = {now.tv_sec, now.tv_nsec / 1000},
        .flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC, .m.offset = index * node->length};
    return 0;
}

static int lamp_control(unsigned long request, void *arg) {
    if (request == VIDIOC_QUERY_EXT_CTRL) {
        struct v4l2_query_ext_ctrl *query = arg;
        uint32_t next = V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND, id = query->id & ~next;
        if (query->id & next ? id >= V4L2_CID_FLASH_LED_MODE : id != V4L2_CID_FLASH_LED_MODE) return fail(EINVAL);
        *query = (struct v4l2_query_ext_ctrl){
            .id = V4L2_CID_FLASH_LED_MODE, .type = V4L2_CTRL_TYPE_MENU, .name = "LED Mode", .maximum = 2, .step = 1,
            .elem_size = 4, .elems = 1};
        return 0;
    }
    struct v4l2_ext_controls *controls = arg;
    if (controls->count != 1 || controls->controls->id != V4L2_CID_FLASH_LED_MODE) return fail(EINVAL);
    if (request == VIDIOC_G_EXT_CTRLS) return controls->controls->value = lamp_mode, 0;
    int mode = controls->controls->value;
    if (mode != V4L2_FLASH_LED_MODE_NONE && mode != V4L2_FLASH_LED_MODE_TORCH) return fail(ERANGE);
    lamp_mode = mode;
    write_lamp(mode == V4L2_FLASH_LED_MODE_TORCH);
    return 0;
}

static int control(struct node *node, unsigned long request, void *arg) {
    if (state_is("unplugged")) return fail(ENODEV);
    switch (request) {
    case VIDIOC_QUERYCAP:
        *(struct v4l2_capability *)arg = (struct v4l2_capability){
            .driver = "shim", .card = CARD, .bus_info = "file", .version = 0x060000,
            .capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS,
            .device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING};
        return 0;
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *format = arg;
        if (format->index || format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        format->pixelformat = pixel_format;
        format->flags = stride ? 0 : V4L2_FMT_FLAG_COMPRESSED;
        return 0;
    }
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *size = arg;
        if (size->index || size->pixel_format != pixel_format) return fail(EINVAL);
        size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        size->discrete = (struct v4l2_frmsize_discrete){width, height};
        return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *interval = arg;
        if (interval->index || interval->width != width || interval->height != height) return fail(EINVAL);
        interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        interval->discrete = (struct v4l2_fract){1, 30};
        return 0;
    }
    case VIDIOC_G_FMT: case VIDIOC_S_FMT: case VIDIOC_TRY_FMT:
        if (((struct v4l2_format *)arg)->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        return fill_format(arg), 0;
    case VIDIOC_REQBUFS:
        return request_buffers(node, arg);
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = arg;
        if (buffer->index >= node->count) return fail(EINVAL);
        buffer->length = node->length;
        buffer->m.offset = buffer->index * node->length;
        return 0;
    }
    case VIDIOC_QBUF: {
        struct v4l2_buffer *buffer = arg;
        if (buffer->index >= node->count || node->queued >= MAX_BUFFERS) return fail(EINVAL);
        node->queue[node->queued++] = buffer->index;
        return 0;
    }
    case VIDIOC_DQBUF:
        return take_buffer(node, arg);
    case VIDIOC_STREAMON:
        return set_timer(node, 1), 0;
    case VIDIOC_STREAMOFF:
        node->queued = 0;
        return set_timer(node, 0), 0;
    case VIDIOC_QUERY_EXT_CTRL: case VIDIOC_G_EXT_CTRLS: case VIDIOC_S_EXT_CTRLS:
        return getenv("V4L2_SHIM_LAMP") ? lamp_control(request, arg) : fail(EINVAL);
    default:
        return fail(ENOTTY);
    }
}

static int control_locked(int fd, unsigned long request, void *arg, int *result) {
    pthread_mutex_lock(&lock);
    struct node *node = node_of(fd);
    if (node) *result = control(node, request, arg);
    pthread_mutex_unlock(&lock);
    return node != NULL;
}

// ---- what the program calls ----

static int open_ours(const char *path, int *fd) {
    if (!strcmp(path, NODE)) return *fd = open_node(), 1;
    if (!strcmp(path, NAME_FILE)) return *fd = open_text(CARD "\n"), 1;
    return 0;
}

#define WITH_MODE(flags, mode)                                   \
    mode_t mode = 0;                                             \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list list;                                            \
        va_start(list, flags);                                   \
        mode = va_arg(list, mode_t);                             \
        va_end(list);                                            \
    }

int open(const char *path, int flags, ...) {
    WITH_MODE(flags, mode)
    int fd;
    return open_ours(path, &fd) ? fd : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    WITH_MODE(flags, mode)
    int fd;
    return open_ours(path, &fd) ? fd : REAL(open64)(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    WITH_MODE(flags, mode)
    int fd;
    return open_ours(path, &fd) ? fd : REAL(openat)(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    WITH_MODE(flags, mode)
    int fd;
    return open_ours(path, &fd) ? fd : REAL(openat64)(folder, path, flags, mode);
}

int close(int fd) {
    pthread_mutex_lock(&lock);
    struct node *node = node_of(fd);
    if (node) {
        free_buffers(node);
        node->fd = 0;
    }
    pthread_mutex_unlock(&lock);
    return REAL(close)(fd);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *arg = va_arg(list, void *);
    va_end(list);
    int result;
    return control_locked(fd, request, arg, &result) ? result : REAL(ioctl)(fd, request, arg);
}

// The crate v4l calls ioctl by its number.
long syscall(long number, ...) {
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    int result;
    if (number == SYS_ioctl && control_locked((int)a[0], (unsigned long)a[1], (void *)a[2], &result)) return result;
    static __typeof__(&syscall) next;
    if (!next) next = REAL(syscall);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *map(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    pthread_mutex_lock(&lock);
    struct node *node = fd > 0 ? node_of(fd) : NULL;
    int memory = node ? node->memory : fd;
    pthread_mutex_unlock(&lock);
    return REAL(mmap64)(at, length, protection, flags, memory, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return map(at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    return map(at, length, protection, flags, fd, offset);
}

// Waits in short turns, because the state may change meanwhile.
int poll(struct pollfd *fds, nfds_t count, int timeout) {
    pthread_mutex_lock(&lock);
    int ours = count == 1 && node_of(fds->fd);
    pthread_mutex_unlock(&lock);
    if (!ours) return REAL(poll)(fds, count, timeout);
    for (int waited = 0; timeout < 0 || waited <= timeout; waited += 20) {
        if (state_is("unplugged")) return fds->revents = POLLERR | POLLHUP, 1;
        if (state_is("stalled")) {
            usleep(20000);
        } else {
            int ready = REAL(poll)(fds, 1, 20);
            if (ready) return ready;
        }
    }
    return fds->revents = 0, 0;
}

// Folders: /dev has one entry more.

static DIR *dev_folder;
static int entry_given;

DIR *opendir(const char *path) {
    DIR *folder = REAL(opendir)(path);
    if (folder && (!strcmp(path, "/dev") || !strcmp(path, "/dev/"))) {
        dev_folder = folder;
        entry_given = state_is("unplugged");
    }
    return folder;
}

int closedir(DIR *folder) {
    if (folder == dev_folder) dev_folder = NULL;
    return REAL(closedir)(folder);
}

struct dirent64 *readdir64(DIR *folder) {
    static struct dirent64 entry = {.d_ino = 1, .d_reclen = sizeof entry, .d_type = DT_CHR, .d_name = "video0"};
    struct dirent64 *next = REAL(readdir64)(folder);
    if (next || folder != dev_folder || entry_given) return next;
    entry_given = 1;
    return &entry;
}
