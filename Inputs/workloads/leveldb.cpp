// A LevelDB database in the folder the first argument names: writes, a read, deletes in a batch, a scan, and removal.
#include <cstdio>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <memory>

int main(int, char **argv) {
  leveldb::Options options;
  options.create_if_missing = true;
  leveldb::DestroyDB(argv[1], options);
  leveldb::DB *opened;
  leveldb::Status status = leveldb::DB::Open(options, argv[1], &opened);
  if (!status.ok()) {
    printf("error: %s\n", status.ToString().c_str());
    return 1;
  }
  std::unique_ptr<leveldb::DB> database(opened);
  for (int i = 0; i < 5000; i++)
    database->Put({}, "key" + std::to_string(i), std::to_string(i * i));
  std::string value;
  database->Get({}, "key777", &value);
  printf("value of key 777: %s\n", value.c_str());
  leveldb::WriteBatch batch;
  for (int i = 0; i < 5000; i += 2)
    batch.Delete("key" + std::to_string(i));
  database->Write({}, &batch);
  database->CompactRange(nullptr, nullptr);
  int left = 0;
  std::unique_ptr<leveldb::Iterator> iterator(database->NewIterator({}));
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next())
    left++;
  printf("%d keys left, missing: %d\n", left, database->Get({}, "key2", &value).IsNotFound());
  iterator.reset();
  database.reset();
  leveldb::DestroyDB(argv[1], options);
}
