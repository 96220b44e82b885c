/*
 * ordered_pool.c - nodes and separators of one ordered index; see ordered_pool.h for the rules
 */
#include "index/ordered_pool.h"

static void *memory_take(struct tn_pool *pool, size_t bytes)
{
    void *block = tn_memory_new(pool->memory, bytes, false);

    if (block != NULL)
        pool->bytes += bytes;
    return block;
}

static void memory_give(struct tn_pool *pool, void *block, size_t bytes)
{
    pool->bytes -= bytes;
    tn_memory_free(pool->memory, block, bytes);
}

struct tn_leaf *tn_pool_take_leaf(struct tn_pool *pool)
{
    struct tn_leaf *leaf = pool->leaves;

    tn_assert(leaf != NULL); /* P2 */
    pool->leaves = leaf->next;
    pool->leaf_count--;
    return leaf;
}

struct tn_inner *tn_pool_take_inner(struct tn_pool *pool)
{
    struct tn_inner *inner = pool->inners;

    tn_assert(inner != NULL); /* P2 */
    pool->inners = inner->children[0];
    pool->inner_count--;
    return inner;
}

void tn_pool_give_leaf(struct tn_pool *pool, struct tn_leaf *leaf)
{
    leaf->next = pool->leaves;
    pool->leaves = leaf;
    pool->leaf_count++;
}

void tn_pool_give_inner(struct tn_pool *pool, struct tn_inner *inner)
{
    inner->children[0] = pool->inners;
    pool->inners = inner;
    pool->inner_count++;
}

void tn_pool_trim(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count)
{
    while (pool->leaf_count > leaf_count)
        memory_give(pool, tn_pool_take_leaf(pool), sizeof(struct tn_leaf));
    while (pool->inner_count > inner_count)
        memory_give(pool, tn_pool_take_inner(pool), sizeof(struct tn_inner));
}

/* Allocate spares up to these numbers; false: no memory, and fewer are there. */
static bool pool_fill_nodes(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count)
{
    while (pool->leaf_count < leaf_count) {
        struct tn_leaf *leaf = memory_take(pool, sizeof *leaf);

        if (leaf == NULL)
            return false;
        tn_pool_give_leaf(pool, leaf);
    }
    while (pool->inner_count < inner_count) {
        struct tn_inner *inner = memory_take(pool, sizeof *inner);

        if (inner == NULL)
            return false;
        tn_pool_give_inner(pool, inner);
    }
    return true;
}

/* Have a block for a separator of up to `text_bytes`. */
static bool pool_fill_block(struct tn_pool *pool, size_t text_bytes)
{
    struct tn_separator_block *old = pool->block, *block;
    size_t block_bytes = sizeof *block + text_bytes;

    if (text_bytes <= TN_SEPARATOR_HERE_BYTES)
        return true;
    if (old != NULL && old->block_bytes >= block_bytes)
        return true;
    block = memory_take(pool, block_bytes);
    if (block == NULL)
        return false;
    block->block_bytes = (uint32_t)block_bytes;
    if (old != NULL)
        memory_give(pool, old, old->block_bytes);
    pool->block = block;
    return true;
}

bool tn_pool_fill(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count,
                  size_t text_bytes)
{
    unsigned leaf_count_before = pool->leaf_count;
    unsigned inner_count_before = pool->inner_count;

    if (pool_fill_nodes(pool, leaf_count, inner_count) && pool_fill_block(pool, text_bytes))
        return true;
    tn_pool_trim(pool, leaf_count_before, inner_count_before); /* P3 */
    return false;
}

void tn_pool_empty(struct tn_pool *pool)
{
    tn_pool_trim(pool, 0, 0);
    if (pool->block != NULL)
        memory_give(pool, pool->block, pool->block->block_bytes);
    pool->block = NULL;
}

/* Turn the spare block into one for text_bytes. It stays too big if memory will not shrink it. */
static struct tn_separator_block *pool_take_block(struct tn_pool *pool, size_t text_bytes)
{
    struct tn_separator_block *block = pool->block, *smaller;
    size_t block_bytes = sizeof *block + text_bytes;

    tn_assert(block != NULL && block->block_bytes >= block_bytes); /* P2 */
    pool->block = NULL;
    if (block->block_bytes == block_bytes)
        return block;
    smaller = tn_memory_resize(pool->memory, block, block->block_bytes, block_bytes);
    if (smaller == NULL)
        return block;
    pool->bytes -= smaller->block_bytes - block_bytes;
    smaller->block_bytes = (uint32_t)block_bytes;
    return smaller;
}

struct tn_separator tn_pool_make_separator(struct tn_pool *pool, struct tn_key left,
                                           struct tn_key right)
{
    struct tn_separator separator = { .bytes = (uint16_t)(tn_key_shared(left, right) + 1) };
    uint8_t *text = separator.text.here;

    if (separator.bytes > TN_SEPARATOR_HERE_BYTES) {
        separator.text.block = pool_take_block(pool, separator.bytes);
        text = separator.text.block->text;
    }
    memcpy(text, right.at, separator.bytes);
    return separator;
}

void tn_pool_free_separator(struct tn_pool *pool, struct tn_separator separator)
{
    if (separator.bytes > TN_SEPARATOR_HERE_BYTES)
        memory_give(pool, separator.text.block, separator.text.block->block_bytes);
}
